-- The payment of a message and of a fault, for testers.

-- Earlier messages have none, nor messages that are about no payment.
ALTER TABLE bank_messages ADD COLUMN reference TEXT;

-- The last request that a fault with a count has applied to.
ALTER TABLE bank_faults ADD COLUMN last_struck TEXT;
