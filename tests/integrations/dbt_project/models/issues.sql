WITH requests AS (FROM {{ ref('requests') }})
FROM label_issues(requests, text, label)
