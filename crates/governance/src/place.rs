//! What the argument of an audit command means: an address, a data directory, the folder of one log, or a pack.
