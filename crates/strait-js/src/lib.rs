//! The JS host: QuickJS and require('electron') over the strait API.
