// TLS through libflatssl in Node, by koffi: npm install koffi
//
//     const flatssl = require("./flatssl");
//     const conn = flatssl.connect({host: "example.org", port: 443});
//     conn.end("GET / HTTP/1.0\r\nHost: example.org\r\n\r\n");
//     conn.pipe(process.stdout);
//
// Node exports the symbols of its own OpenSSL, which a library that looks for OpenSSL would get. So
// this takes the private build, which has one of its own inside. Connections are on memory: Node
// does the waiting, and each packet is one call of fssl_conn_pump. No thread waits.
"use strict";

const fs = require("fs");
const net = require("net");
const path = require("path");
const {Duplex} = require("stream");
const koffi = require("koffi");

const ROOM = 65536; // bytes, for what one packet holds and what is to be sent
const POINTER = /\b(?:const\s+)?(?:char|uint8_t|int32_t|int64_t)\s*\*\s*/g;
const PROTOTYPE = /\bint64_t\s+fssl_(\w+)\(([^;{}]*)\)\s*;/g;

const places = [process.env.FLATSSL_HEADER, path.join(__dirname, "../../abi/flatssl_decl.h"),
                "/usr/local/include/flatssl_decl.h", "/usr/include/flatssl_decl.h"];
const header = fs.readFileSync(places.find((place) => place && fs.existsSync(place)), "utf8")
    .replace(/\/\*[^]*?\*\//g, " ");

const constants = {};
for (const [, name, value] of header.matchAll(/\bFSSL_(\w+)\s*=\s*(-?\w+)/g))
    constants[name] = Number(value);

const library = koffi.load(process.env.FLATSSL_LIBRARY || "libflatssl_private.so.1");
koffi.alias("fssl_handle", "int64_t");

const functions = {};
for (const [, name, parameters] of header.matchAll(PROTOTYPE)) {
    const plain = parameters.replace(POINTER, "void *");
    if (!plain.includes("_callback ")) // questions and data take their place
        functions[name] = library.func(`int64_t fssl_${name}(${plain})`);
}

// ---- calls ----

class FlatsslError extends Error {
    constructor(result) {
        const text = Buffer.alloc(4096);
        const length = functions.error_text(result, text, text.length, null);
        super(text.toString("utf8", 0, Math.max(length, 0)));
        this.code = functions.error_code(result, null);
    }
}

// Calls a function, err left out: text and Buffers go in with their length. Returns its result, be
// it a failure.
function attempt(name, ...given) {
    const flat = given.flatMap((value) => {
        if (typeof value === "string")
            value = Buffer.from(value);
        return value instanceof Uint8Array ? [value, value.length] : [value];
    });
    return functions[name](...flat, null);
}

function call(name, ...given) {
    const result = attempt(name, ...given);
    if (result < 0)
        throw new FlatsslError(result);
    return result;
}

// Closes a context that is dropped, when it is collected.
const dropped = new FinalizationRegistry((handle) => attempt("handle_close", handle));

class Context {
    constructor(role, {ca, certificate, key} = {}) {
        this.handle = call(`ctx_new_${role}`);
        dropped.register(this, this.handle);
        if (ca)
            call("ctx_load_verify_locations", this.handle, ca, null, 0);
        if (certificate)
            call("ctx_use_certificate_chain_file", this.handle, certificate);
        if (key)
            call("ctx_use_private_key_file", this.handle, key, constants.FILETYPE_PEM);
    }
}

// ---- connections ----

// TLS over any stream. Emits "secure" when the handshake has ended.
class Connection extends Duplex {
    constructor(context, socket, host) {
        super({allowHalfOpen: true});
        this.context = context;
        this.socket = socket;
        this.secure = false;
        this.handle = call("conn_new_memory", context.handle);
        if (host)
            call("conn_set_host", this.handle, host);
        socket.on("data", (data) => this._advance(data));
        socket.on("end", () => this._cut());
        socket.on("error", (error) => this.destroy(error));
        if (host)
            this._advance(Buffer.alloc(0));
    }

    // Gives a packet to the library until it wants another.
    _advance(input) {
        while (!this.destroyed) {
            const {result, plain, out, rest} = this._pump(input);
            input = rest;
            if (out.length > 0)
                this.socket.write(out);
            if (result > 0) {
                if (!this.push(plain))
                    this.socket.pause();
            } else if (result === 0) {
                this.secure = true;
                this.emit("secure");
            } else if (result !== -constants.E_WANT_READ) {
                return this._ended(result);
            } else if (input.length === 0 && out.length < ROOM) {
                return;
            }
        }
    }

    _pump(input) {
        const plain = Buffer.allocUnsafe(this.secure ? ROOM : 0);
        const out = Buffer.allocUnsafe(ROOM);
        const [taken, given] = [new BigInt64Array(1), new BigInt64Array(1)];
        const result = attempt("conn_pump", this.handle, input, taken, plain, out, given);
        return {
            result,
            plain: plain.subarray(0, Math.max(result, 0)),
            out: out.subarray(0, Number(given[0])),
            rest: input.subarray(Number(taken[0])),
        };
    }

    _ended(result) {
        if (functions.error_code(result, null) === constants.E_ZERO_RETURN)
            this.push(null);
        else
            this.destroy(new FlatsslError(result));
    }

    // The stream below has ended: after the peer's goodbye all is well, else it was cut off.
    _cut() {
        if (this.destroyed || this.readableEnded)
            return;
        call("conn_bio_shutdown", this.handle);
        this._advance(Buffer.alloc(0));
    }

    _read() {
        this.socket.resume();
    }

    _write(data, encoding, done) {
        if (!this.secure)
            return this.once("secure", () => this._write(data, encoding, done));
        const result = attempt("conn_send_all", this.handle, data, null);
        this._advance(Buffer.alloc(0));
        done(result < 0 ? new FlatsslError(result) : null);
    }

    _final(done) {
        if (!this.secure)
            return this.once("secure", () => this._final(done));
        attempt("conn_shutdown", this.handle);
        this._advance(Buffer.alloc(0));
        this.socket.end();
        done();
    }

    _destroy(error, done) {
        attempt("handle_close", this.handle);
        this.socket.destroySoon();
        done(error);
    }

    get protocol() {
        return this._text("conn_protocol_version_name");
    }

    get cipher() {
        return this._text("conn_cipher_name");
    }

    _text(name) {
        const text = Buffer.alloc(256);
        return text.toString("utf8", 0, call(name, this.handle, text));
    }
}

// Connects to a host, which the certificate must name, or to another name's server there.
function connect({host, port, name = host, ...trust}) {
    return new Connection(new Context("client", trust), net.connect(port, host), name);
}

// Makes a server; listener gets each connection.
function createServer({certificate, key}, listener) {
    const context = new Context("server", {certificate, key});
    return net.createServer({allowHalfOpen: true}, (socket) => {
        listener(new Connection(context, socket));
    });
}

module.exports = {Connection, Context, FlatsslError, call, connect, constants, createServer};
