-- title: What the order of the review was worth
-- answers: Wrong labels found after so many decisions: as it went, in order of label quality, and at random.
-- param truth column = : the right labels, where they are known
-- param fewest integer = 20: how many rows of the random sample tell something

-- What is not known of the other two orders is estimated from the random sample, with its 95 %
-- interval; as far as rows are decided, it lies between what is known and what is possible.
WITH judged AS (
    SELECT *, {% if truth %}coalesce(is_untrue, false){% else %}is_wrong{% endif %} AS is_bad,
        {% if truth %}true{% else %}is_decided{% endif %} AS is_known,
        {% if truth %}true{% else %}is_random{% endif %} AS is_sampled
    FROM report_rows
), totals AS (
    SELECT count(*) FILTER (is_decided) AS n, count(*) AS everything,
        count(*) FILTER (is_sampled) AS m, count(*) FILTER (is_sampled AND is_bad) AS hits
    FROM judged
), steps AS (
    SELECT DISTINCT round(n * i / 20)::BIGINT AS k FROM totals, range(21) r(i)
), as_it_went AS (
    SELECT is_wrong, row_number() OVER (ORDER BY decided_at, sqlfuncs.main._sf_random_order(key)) AS place
    FROM judged WHERE is_decided
), counted AS (
    SELECT
        k,
        (SELECT count(*) FROM as_it_went WHERE place <= k AND is_wrong) AS as_reviewed,
        (SELECT count(*) FROM judged WHERE quality_rank <= k AND is_sampled) AS top_m,
        (SELECT count(*) FROM judged WHERE quality_rank <= k AND is_sampled AND is_bad) AS top_hits,
        (SELECT count(*) FROM judged WHERE quality_rank <= k AND is_known AND is_bad) AS top_known,
        (SELECT count(*) FROM judged WHERE quality_rank <= k AND NOT is_known) AS top_open
    FROM steps
), ends AS (
    -- m sampled rows speak for n others as m * n / (m + n) do for endlessly many.
    SELECT
        *,
        top_known + top_open AS top_most,
        top_hits / nullif(top_m, 0) AS share,
        top_m * (k - top_m) / nullif(k, 0) AS weight,
        CASE WHEN weight > 0 THEN top_hits + (k - top_m) * sqlfuncs.main._sf_wilson(share * weight, weight, -1) END
            AS least_found,
        CASE WHEN weight > 0 THEN top_hits + (k - top_m) * sqlfuncs.main._sf_wilson(share * weight, weight, 1) END
            AS most_found,
        hits / nullif(m, 0) AS random_share
    FROM counted, totals
), rising AS (
    -- More decisions never find fewer, and one decision finds one at most. Where few rows of the
    -- sample are among the k worst, four rows' worth of the share among all of it stand in.
    SELECT *, max(least(top_most, greatest(
        top_known,
        {% if truth %}top_hits{% else %}k * (top_hits + 4 * random_share) / (top_m + 4){% endif %}
    ))) OVER (ORDER BY k) AS at_least_as_many
    FROM ends
)
SELECT
    k AS decisions,
    as_reviewed,
    CASE WHEN m >= {{ fewest | literal }} THEN (k + min(at_least_as_many - k) OVER so_far)::DOUBLE END AS by_quality,
    CASE WHEN m >= {{ fewest | literal }} THEN least(by_quality, max(greatest(top_known, coalesce(least_found, 0))) OVER so_far) END::DOUBLE
        AS by_quality_low,
    CASE WHEN m >= {{ fewest | literal }} THEN greatest(by_quality, max(least(top_most, coalesce(most_found, top_most))) OVER so_far) END::DOUBLE
        AS by_quality_high,
    CASE WHEN m >= {{ fewest | literal }} THEN k * random_share END AS at_random,
    CASE WHEN m >= {{ fewest | literal }} THEN k * {% if truth %}random_share{% else %}sqlfuncs.main._sf_wilson(hits, m, -1){% endif %} END
        AS at_random_low,
    CASE WHEN m >= {{ fewest | literal }} THEN k * {% if truth %}random_share{% else %}sqlfuncs.main._sf_wilson(hits, m, 1){% endif %} END
        AS at_random_high
FROM rising
WINDOW so_far AS (ORDER BY k)
ORDER BY decisions;
