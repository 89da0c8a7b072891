SELECT id, text, label FROM read_csv('{{ var("requests") }}')
