-- Answers to customers, and what their channels need for them.

-- What a channel noted of a customer's message for its answer: a conversation's id, the references of a mail.
ALTER TABLE message ADD COLUMN answer_path text;

-- An agent's message that lanka carries: by which channel, to which address, in answer to what. Decided once: what is
-- found out later of whoever wrote sends nothing elsewhere.
CREATE TABLE answer (
    message_id  uuid PRIMARY KEY,
    tenant      text NOT NULL,
    channel     text NOT NULL,
    identity_id uuid NOT NULL,
    answers     uuid NOT NULL,
    at          timestamptz NOT NULL
);

-- A token that an agent's reply is addressed to names its thread, whichever mirror gave it out.
CREATE INDEX link_remote_id ON link (remote_id) WHERE object_kind = 'ticket';
