//! The story of one proposal across all agents, in causal order.
