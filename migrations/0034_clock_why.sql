-- Why a clock has its target: the rule of the configuration, the contract, and the channel that it went by.
ALTER TABLE ticket_clock
    -- The channel by which the customer said what it began with.
    ADD COLUMN channel text,
    -- The rule's name; null where the contract itself set the target, or where it is not known any more.
    ADD COLUMN rule text,
    -- The contract's name; null where there is none.
    ADD COLUMN contract text;
