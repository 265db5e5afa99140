//! placeholder head, replaced below
