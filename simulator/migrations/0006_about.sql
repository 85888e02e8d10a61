-- What testers see of a message and of a fault: which payment it is about.

-- Messages from before this, and those that are about no payment, have none.
ALTER TABLE bank_messages ADD COLUMN reference TEXT;

-- What a fault that was ordered for the next few requests has struck last.
ALTER TABLE bank_faults ADD COLUMN last_struck TEXT;
