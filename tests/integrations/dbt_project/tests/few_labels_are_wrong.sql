-- Fails where a class has a larger share of wrong labels, as far as can be told, than is put up with.
SELECT label, error_rate
FROM {{ ref('health') }}
WHERE error_rate > {{ var('highest_error_rate') }}
