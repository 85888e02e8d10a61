//! What does not come: scripts, the frame, time.
