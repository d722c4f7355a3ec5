//! Outside witnesses: a server of our own for each answer of the protocol, and a witness that others wrote.
