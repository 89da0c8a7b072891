WITH requests AS (FROM {{ ref('requests') }}), corrections AS (FROM {{ ref('corrections') }})
FROM apply_corrections(requests, corrections, id, label)
