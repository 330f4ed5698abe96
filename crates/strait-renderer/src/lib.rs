//! The agent: what runs beside the page in a renderer process.
