// Compiles one contract of src/, named by the argument, and prints its artifact as canonical JSON on standard output.
"use strict";
const fs = require("fs");
const path = require("path");
const crypto = require("crypto");
const solc = require("solc");

const settings = {
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  evmVersion: "cancun",
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
};
const contracts = {
  Marketplace: [
    "Checks", "IMarketplace", "Marketplace", "Openings", "Powers", "Rules", "Shapley", "Signatures", "Tokens",
  ],
  TestToken: ["TestToken"],
};
const wanted = process.argv[2];
const names = contracts[wanted].map((name) => `src/${name}.sol`);
const sources = Object.fromEntries(
  names.map((name) => [name, { content: fs.readFileSync(path.join(__dirname, name), "utf8") }]),
);
const findImport = (name) => {
  const file = path.join(__dirname, "node_modules", name);
  return fs.existsSync(file) ? { contents: fs.readFileSync(file, "utf8") } : { error: `not found: ${name}` };
};
const output = JSON.parse(
  solc.compile(JSON.stringify({ language: "Solidity", sources, settings }), { import: findImport }),
);
const errors = output.errors || [];
for (const error of errors) process.stderr.write(error.formattedMessage);
if (errors.length) process.exit(1);
const contract = output.contracts[`src/${wanted}.sol`][wanted];
const hash = crypto.createHash("sha256");
for (const name of names) hash.update(name).update("\0").update(sources[name].content).update("\0");
const artifact = {
  contract: wanted,
  compiler: solc.version(),
  settings: { optimizer: settings.optimizer, viaIR: true, evmVersion: settings.evmVersion },
  sources_sha256: hash.digest("hex"),
  runtime_bytes: contract.evm.deployedBytecode.object.length / 2,
  bytecode: "0x" + contract.evm.bytecode.object,
  abi: contract.abi,
};
const created = { Marketplace: "Checks" }[wanted];
if (created) {
  // A contract of its own, which the constructor creates: its code is compared as well.
  const { bytecode, deployedBytecode } = output.contracts[`src/${created}.sol`][created].evm;
  artifact.created = { bytecode: "0x" + bytecode.object, runtime_bytes: deployedBytecode.object.length / 2 };
}
process.stdout.write(JSON.stringify(artifact, null, 1) + "\n");
