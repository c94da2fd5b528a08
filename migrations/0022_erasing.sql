-- Forgetting people: what is still to be taken out of deliveries of somebody who was erased. Written in the transaction
-- that erases him; a row goes with what it names, so that whatever is cut off goes on where it was.
CREATE TABLE erasing (
    raw_event  uuid NOT NULL,
    -- The position of an item; -1: all of it, for it could not be read, and names him.
    item       integer NOT NULL,
    contact_id uuid NOT NULL,
    PRIMARY KEY (raw_event, item)
);
CREATE INDEX erasing_contact ON erasing (contact_id);

-- The journal says who had somebody erased, and why.
ALTER TABLE contact_link DROP CONSTRAINT contact_link_act_check;
ALTER TABLE contact_link ADD CONSTRAINT contact_link_act_check CHECK (act IN ('join', 'split', 'link', 'unlink', 'erase'));
