-- title: What language models have cost
-- answers: Every answer that is kept on this machine, by model; each was paid for once.

SELECT model, answers, errors, input_tokens, output_tokens, cost_usd, first_at, last_at
FROM llm_paid();
