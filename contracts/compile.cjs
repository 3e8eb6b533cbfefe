// Compiles one contract of src/, named by the argument, and prints its artifact as canonical JSON on standard output.
// With `--stamp` behind it, only what the artifact says of its making, which takes no compiler.
"use strict";
const fs = require("fs");
const path = require("path");
const crypto = require("crypto");

const settings = {
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  evmVersion: "cancun",
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
};
const contracts = {
  Marketplace: [
    "Checks", "Folds", "IMarketplace", "Marketplace", "Openings", "Powers", "Rules", "Shapley", "Signatures", "Tokens",
  ],
  TestToken: ["TestToken"],
};
const [wanted, option] = process.argv.slice(2);
const names = contracts[wanted].map((name) => `src/${name}.sol`);
const sources = Object.fromEntries(
  names.map((name) => [name, { content: fs.readFileSync(path.join(__dirname, name), "utf8") }]),
);
const findImport = (name) => {
  const file = path.join(__dirname, "node_modules", name);
  return fs.existsSync(file) ? { contents: fs.readFileSync(file, "utf8") } : { error: `not found: ${name}` };
};
const compile = (solc) => {
  const output = JSON.parse(
    solc.compile(JSON.stringify({ language: "Solidity", sources, settings }), { import: findImport }),
  );
  const errors = output.errors || [];
  for (const error of errors) process.stderr.write(error.formattedMessage);
  if (errors.length) process.exit(1);
  return (name) => {
    const { abi, evm } = output.contracts[`src/${name}.sol`][name];
    return { abi, bytecode: evm.bytecode.object, runtime: evm.deployedBytecode.object };
  };
};
const hash = crypto.createHash("sha256");
for (const name of names) hash.update(name).update("\0").update(sources[name].content).update("\0");
const stamp = {
  settings: { optimizer: settings.optimizer, viaIR: true, evmVersion: settings.evmVersion },
  sources_sha256: hash.digest("hex"),
};
const complete = (solc) => {
  const codeOf = compile(solc);
  const contract = codeOf(wanted);
  const artifact = {
    contract: wanted,
    compiler: solc.version(),
    ...stamp,
    runtime_bytes: contract.runtime.length / 2,
    bytecode: "0x" + contract.bytecode,
    abi: contract.abi,
  };
  const created = { Marketplace: "Checks" }[wanted];
  if (created) {
    // A contract of its own, which the constructor creates: its code is compared as well.
    const { bytecode, runtime } = codeOf(created);
    artifact.created = { bytecode: "0x" + bytecode, runtime_bytes: runtime.length / 2 };
  }
  return artifact;
};
// The compiler takes a second to load.
const printed =
  option === "--stamp" ? { release: require("solc/package.json").version, ...stamp } : complete(require("solc"));
process.stdout.write(JSON.stringify(printed, null, 1) + "\n");
