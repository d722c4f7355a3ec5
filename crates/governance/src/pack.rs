//! Audit packs: the logs of a floor with all that an auditor needs to verify them, in one file.
