//! The files of a log over HTTP, from an agent that runs.
