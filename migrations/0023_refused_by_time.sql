-- Failed guesses are counted by the hour in which they were made, not in which they arrived: a backlog that
-- comes at once is no attack.
DROP INDEX fact_refused;
CREATE INDEX fact_refused ON fact (tenant, at) WHERE refused;
