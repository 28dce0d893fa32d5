// Node's own TLS and flatssl's private build in one process, each talking with each.
//
//     node node.js <private library> <folder of certificates>
//
// Node's OpenSSL is part of its program, so it is always there first. Ends in "N passed, N failed,
// N skipped".
"use strict";

const fs = require("fs");
const path = require("path");
const tls = require("tls");

const [library, folder] = process.argv.slice(2);
process.env.FLATSSL_LIBRARY = library;
const flatssl = require("../../examples/node/flatssl");

const LIMIT = 30000; // ms, for one pair
const file = (name) => path.join(folder, name);
const read = (name) => fs.readFileSync(file(name));
const address = "127.0.0.1";

const stacks = {
    Node: {
        server: (listener) =>
            tls.createServer({cert: read("server.pem"), key: read("server.key")}, listener),
        client: (port, name) =>
            tls.connect({port, host: address, servername: name, ca: read("ca.pem")}),
        wrongName: (error) => error.code === "ERR_TLS_CERT_ALTNAME_INVALID",
    },
    flatssl: {
        server: (listener) => flatssl.createServer(
            {certificate: file("server.pem"), key: file("server.key")}, listener),
        client: (port, name) => flatssl.connect({host: address, port, name, ca: file("ca.pem")}),
        wrongName: (error) => error.code === flatssl.constants.E_HOST,
    },
};

// Connects a client to a server that echoes. Returns what comes back, or the client's error.
function exchange(client, server, name, said) {
    return new Promise((resolve) => {
        const listener = server.server((conn) => {
            conn.on("error", () => {}); // a client that refuses
            conn.pipe(conn);
        });
        listener.on("tlsClientError", () => {});
        listener.listen(0, address, () => {
            const heard = [];
            const conn = client.client(listener.address().port, name);
            const finish = (result) => {
                clearTimeout(timer);
                conn.destroy();
                listener.close(() => resolve(result));
            };
            const timer = setTimeout(finish, LIMIT, new Error("it takes too long"));
            conn.on("error", finish);
            conn.on("data", (data) => heard.push(data));
            conn.on("end", () => finish(Buffer.concat(heard)));
            conn.end(said);
        });
    });
}

async function main() {
    const counts = {passed: 0, failed: 0};
    const count = (title, good, found) => {
        counts[good ? "passed" : "failed"] += 1;
        console.log(good ? `passed ${title}` : `FAILED ${title}: ${found}`);
    };
    const said = Buffer.alloc(300000, "0123456789");

    for (const [one, client] of Object.entries(stacks)) {
        for (const [other, server] of Object.entries(stacks)) {
            const heard = await exchange(client, server, "localhost", said);
            const same = Buffer.isBuffer(heard) && said.equals(heard);
            count(`${one} talks with ${other}`, same, heard);
            const error = await exchange(client, server, "wrong.example", said);
            count(`${one} refuses ${other} of another name`, client.wrongName(error), error);
        }
    }
    const left = flatssl.call("handle_count", flatssl.constants.TYPE_CONN);
    count("no connection is left open", left === 0, left);
    console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
    process.exitCode = counts.failed > 0 ? 1 : 0;
}

main();
