#![forbid(unsafe_code)]
#![doc = "The `entente` command."]
fn main() {}
