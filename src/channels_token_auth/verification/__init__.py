"""From a credential to an identity: order, batches, deadline, thread."""
