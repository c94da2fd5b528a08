-- What people say by hand: who is who, and which messages belong together.

-- Words on two identities (classes agent_same and agent_apart) come of no message. Each names who said it and why;
-- one that is withdrawn stays, and names who withdrew it.
ALTER TABLE edge ALTER COLUMN message_id DROP NOT NULL;
ALTER TABLE edge ADD COLUMN by text;
ALTER TABLE edge ADD COLUMN why text;
ALTER TABLE edge ADD COLUMN off_by text;
ALTER TABLE edge ADD COLUMN off_why text;
ALTER TABLE edge ADD COLUMN off_at timestamptz;
CREATE INDEX edge_apart ON edge (identity_a) WHERE class = 'agent_apart' AND state = 'active';

-- The journal holds them beside the joins and splits that come of them.
ALTER TABLE contact_link DROP CONSTRAINT contact_link_act_check;
ALTER TABLE contact_link ADD CONSTRAINT contact_link_act_check CHECK (act IN ('join', 'split', 'link', 'unlink'));

-- A message that was put beside another goes where that one is; one that was put beside itself opens a ticket of its
-- own, or keeps the one it is on (`pinned_on`). This replaces `pinned`, which nothing reads any more. With it the act
-- (ticket_event) that said so.
ALTER TABLE message ADD COLUMN pinned_to uuid;
ALTER TABLE message ADD COLUMN pinned_on uuid;
ALTER TABLE message ADD COLUMN pinned_by uuid;
CREATE INDEX message_pinned_to ON message (pinned_to) WHERE pinned_to IS NOT NULL;

-- Such a message is on it.
ALTER TABLE ticket ADD COLUMN held boolean NOT NULL DEFAULT false;

-- What was done by hand, to be shown with the ticket.
CREATE INDEX ticket_event_by_hand ON ticket_event (ticket_id) WHERE kind IN ('merge', 'split', 'move');

-- Who accepted or rejected it, why and when. What was rejected is not suggested again.
ALTER TABLE suggestion ADD COLUMN answered_by text;
ALTER TABLE suggestion ADD COLUMN answered_why text;
ALTER TABLE suggestion ADD COLUMN answered_at timestamptz;
CREATE INDEX suggestion_rejected ON suggestion (target) WHERE state = 'rejected';
