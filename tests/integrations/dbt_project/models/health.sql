-- The probabilities of the model above are judged: nothing is trained twice.
WITH issues AS (SELECT label, class_probs FROM {{ ref('issues') }})
FROM label_health(issues, class_probs, label)
