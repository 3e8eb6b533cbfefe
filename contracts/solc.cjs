// The part of solc's command line that forge and slither use: `--version` and `--standard-json` on standard input.
// All sources come inside the input, so the path options (--base-path, --allow-paths, ...) say nothing to it.
"use strict";
const fs = require("fs");
const solc = require("solc");

const options = process.argv.slice(2);
if (options.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (options.includes("--standard-json")) {
  process.stdout.write(solc.compile(fs.readFileSync(0, "utf8")));
} else {
  process.stderr.write("solc-wrapper understands --version and --standard-json only\n");
  process.exit(1);
}
