// node client.js HOST PORT [CA]: fetches a page, its certificate verified.
"use strict";

const flatssl = require("./flatssl");

const [host, port, ca] = process.argv.slice(2);
const conn = flatssl.connect({host, port: Number(port), ca});

conn.on("secure", () => console.error(conn.protocol, conn.cipher));
conn.on("error", (error) => {
    console.error(error.message);
    process.exitCode = 1;
});
conn.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
conn.on("end", () => conn.end());
conn.pipe(process.stdout);
