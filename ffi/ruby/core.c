/* The module flatssl/core: the methods of FlatSSL::Connection that carry data, in C. Where it was
   not built, those of objects.rb do the same through the ffi gem, only slower (transfer.rb).

   It is linked with Ruby alone: the ffi gem tells it where the library's functions are, so that
   both call one copy of the library. */
#include <ruby.h>
#include <ruby/encoding.h>
#include <ruby/thread.h>
#include <stdbool.h>

#include "flatssl.h"

enum { FORM = 1 }; /* of what transfer.rb and this module know of each other */
enum { RECORD = 16384, SEALED = 18432 }; /* as in objects.rb */

typedef int64_t recv_function(fssl_handle, uint8_t *, int64_t, int32_t, int32_t *);
typedef int64_t read_function(fssl_handle, uint8_t *, int64_t, int32_t *);
typedef int64_t write_function(fssl_handle, const uint8_t *, int64_t, int32_t *);
typedef int64_t send_all_function(fssl_handle, const uint8_t *, int64_t, int64_t *, int32_t *);
typedef int64_t pump_function(fssl_handle, const uint8_t *, int64_t, int64_t *, uint8_t *, int64_t,
                              uint8_t *, int64_t, int64_t *, int32_t *);
typedef int64_t seal_function(fssl_handle, const uint8_t *, int64_t, uint8_t *, int64_t, int64_t *,
                              int32_t *);

static struct {
    recv_function *recv;
    read_function *bio_read;
    write_function *send, *bio_write;
    send_all_function *send_all;
    pump_function *pump;
    seal_function *seal;
} library;

struct call {
    void (*run)(struct call *call);
    fssl_handle conn;
    const uint8_t *in;
    int64_t in_len, in_done;
    uint8_t *out;
    int64_t cap;
    int32_t flags;
    uint8_t *packet; /* room for one of RECORD bytes; to seal, of SEALED */
    int64_t packet_len;
    int64_t result;
    VALUE string; /* what is filled */
};

static ID id_handle, id_checked, id_text, id_to_s, id_from_result, id_sent;
static VALUE native, error_class;

/* ---- calls ---- */

static void run_recv(struct call *call)
{
    call->result = library.recv(call->conn, call->out, call->cap, call->flags, NULL);
}

static void run_bio_read(struct call *call)
{
    call->result = library.bio_read(call->conn, call->out, call->cap, NULL);
}

static void run_send(struct call *call)
{
    call->result = library.send(call->conn, call->in, call->in_len, NULL);
}

static void run_send_all(struct call *call)
{
    int64_t sent = 0;

    call->result = library.send_all(call->conn, call->in + call->in_done,
                                    call->in_len - call->in_done, &sent, NULL);
    call->in_done += sent;
}

static void run_bio_write(struct call *call)
{
    call->result = library.bio_write(call->conn, call->in, call->in_len, NULL);
}

static void run_pump(struct call *call)
{
    int64_t taken = 0;

    call->result =
        library.pump(call->conn, call->in + call->in_done, call->in_len - call->in_done, &taken,
                     call->out, call->cap, call->packet, RECORD, &call->packet_len, NULL);
    call->in_done += taken;
}

static void run_seal(struct call *call)
{
    call->result = library.seal(call->conn, call->in + call->in_done, call->in_len, call->packet,
                                SEALED, &call->packet_len, NULL);
}

static void *run_outside(void *given)
{
    struct call *call = given;

    call->run(call);
    return NULL;
}

/* Makes the call without the global lock. Where a signal kept it from that or ended it, Ruby runs
   its handlers, or leaves by an exception, and it is made again. What has been done is never lost
   to an exception. */
static int64_t call_run(struct call *call)
{
    for (;;) {
        call->result = -FSSL_E_INTERRUPTED;
        rb_thread_call_without_gvl2(run_outside, call, RUBY_UBF_IO, NULL);
        if (call->result != -FSSL_E_INTERRUPTED)
            return call->result;
        rb_thread_check_ints();
    }
}

static VALUE checked(int64_t result)
{
    if (result >= 0)
        return LL2NUM(result);
    return rb_funcall(native, id_checked, 1, LL2NUM(result));
}

static fssl_handle handle_of(VALUE self)
{
    return NUM2LL(rb_ivar_get(self, id_handle));
}

/* ---- bytes out ---- */

static VALUE fill(VALUE given)
{
    struct call *call = (struct call *)given; /* NOLINT */

    call->out = (uint8_t *)RSTRING_PTR(call->string);
    return checked(call_run(call));
}

static VALUE fill_end(VALUE given)
{
    const struct call *call = (const struct call *)given; /* NOLINT */

    rb_str_unlocktmp(call->string);
    rb_str_set_len(call->string, call->result > 0 ? (long)call->result : 0);
    return Qnil;
}

/* Reads into the caller's string, or into one made for it, which is as large as what it holds. */
static VALUE read_bytes(struct call *call, VALUE size, VALUE given)
{
    long room = NUM2LONG(size);

    call->cap = room;
    if (room < 0)
        return checked(call_run(call)); /* the library refuses it */
    call->string = given;
    if (NIL_P(given)) {
        call->string = rb_str_new(NULL, room);
    } else {
        Check_Type(given, T_STRING);
        rb_str_modify(call->string);
        rb_str_resize(call->string, room);
        rb_enc_associate(call->string, rb_ascii8bit_encoding());
    }
    rb_str_locktmp(call->string); /* for no other thread changes it meanwhile */
    rb_ensure(fill, (VALUE)call, fill_end, (VALUE)call);
    if (NIL_P(given) && call->result < room)
        rb_str_resize(call->string, (long)call->result);
    return call->string;
}

static VALUE conn_recv(int argc, VALUE *argv, VALUE self)
{
    struct call call = {.run = run_recv, .conn = handle_of(self)};
    VALUE size, flags, string;

    rb_scan_args(argc, argv, "12", &size, &flags, &string);
    call.flags = NIL_P(flags) ? 0 : NUM2INT(flags);
    return read_bytes(&call, size, string);
}

static VALUE conn_bio_read(int argc, VALUE *argv, VALUE self)
{
    struct call call = {.run = run_bio_read, .conn = handle_of(self)};
    VALUE size, string;

    rb_scan_args(argc, argv, "02", &size, &string);
    return read_bytes(&call, NIL_P(size) ? INT2FIX(RECORD) : size, string);
}

/* ---- bytes in ---- */

/* Returns a text's bytes as they are now: other threads may change the string during the call. */
static VALUE take(struct call *call, VALUE text)
{
    VALUE string = RB_TYPE_P(text, T_STRING) ? text : rb_funcall(native, id_text, 1, text);

    call->in = (const uint8_t *)"";
    if (NIL_P(string))
        return string;
    string = rb_str_new_frozen(string);
    call->in = (const uint8_t *)RSTRING_PTR(string);
    call->in_len = RSTRING_LEN(string);
    return string;
}

static VALUE give(VALUE self, VALUE data, void (*run)(struct call *call))
{
    struct call call = {.run = run, .conn = handle_of(self)};
    VALUE string = take(&call, data);

    call_run(&call);
    RB_GC_GUARD(string);
    return checked(call.result);
}

static VALUE conn_send(VALUE self, VALUE data)
{
    return give(self, data, run_send);
}

static VALUE conn_bio_write(VALUE self, VALUE data)
{
    return give(self, data, run_bio_write);
}

/* An error tells how many bytes were sent before it. */
static VALUE conn_write(VALUE self, VALUE data)
{
    struct call call = {.run = run_send_all, .conn = handle_of(self)};
    VALUE string = take(&call, RB_TYPE_P(data, T_STRING) ? data : rb_funcall(data, id_to_s, 0));
    VALUE error;

    call_run(&call);
    RB_GC_GUARD(string);
    if (call.result >= 0)
        return LL2NUM(call.in_done);
    error = rb_funcall(error_class, id_from_result, 1, LL2NUM(call.result));
    rb_funcall(error, id_sent, 1, LL2NUM(call.in_done));
    rb_exc_raise(error);
    return Qnil;
}

/* ---- a packet at a time ---- */

/* Returns whether there is more to do, after what came out was given away. */
static bool pump_on(struct call *call, VALUE *plain)
{
    int64_t before = call->in_done;

    call_run(call);
    if (call->packet_len > 0)
        rb_yield(rb_str_new((const char *)call->packet, (long)call->packet_len));
    if (call->result > 0 && NIL_P(*plain))
        *plain = rb_str_new((const char *)call->out, (long)call->result);
    else if (call->result > 0)
        rb_str_cat(*plain, (const char *)call->out, (long)call->result);
    return call->result > 0 || call->packet_len == RECORD ||
           (call->in_done > before && call->in_done < call->in_len);
}

static VALUE conn_pump(int argc, VALUE *argv, VALUE self)
{
    uint8_t out[RECORD], packet[RECORD];
    struct call call = {
        .run = run_pump, .conn = handle_of(self), .out = out, .cap = RECORD, .packet = packet};
    VALUE input, string, plain = Qnil;

    rb_scan_args(argc, argv, "01", &input);
    string = take(&call, input);
    while (pump_on(&call, &plain))
        ;
    RB_GC_GUARD(string);
    if (!NIL_P(plain))
        return plain; /* a failure comes again */
    if (call.result != -FSSL_E_WANT_READ)
        return checked(call.result);
    return rb_str_new(NULL, 0);
}

static void packet_yield(const struct call *call)
{
    if (call->packet_len > 0)
        rb_yield(rb_str_new((const char *)call->packet, (long)call->packet_len));
}

static VALUE conn_seal(VALUE self, VALUE data)
{
    uint8_t packet[SEALED];
    struct call call = {.run = run_seal, .conn = handle_of(self), .packet = packet};
    VALUE string = take(&call, data);
    int64_t len = call.in_len, result;

    do {
        call.in_len = len - call.in_done;
        result = call_run(&call);
        call.in_done += result > 0 ? result : 0;
        packet_yield(&call);
        call.in_len = 0; /* the rest of what is to be sent */
        while (call.packet_len == SEALED) {
            call_run(&call);
            packet_yield(&call);
        }
    } while (result > 0 && call.in_done < len);
    RB_GC_GUARD(string);
    return checked(call.in_done > 0 ? call.in_done : result); /* a failure comes again */
}

/* ---- the module ---- */

static void *address_of(const char *name)
{
    return (void *)NUM2ULL(rb_yield(rb_str_new_cstr(name))); /* NOLINT */
}

/* The block gives the address of a function. */
static VALUE core_attach(VALUE self)
{
    library.recv = (recv_function *)address_of("fssl_conn_recv");
    library.bio_read = (read_function *)address_of("fssl_conn_bio_read");
    library.send = (write_function *)address_of("fssl_conn_send");
    library.bio_write = (write_function *)address_of("fssl_conn_bio_write");
    library.send_all = (send_all_function *)address_of("fssl_conn_send_all");
    library.seal = (seal_function *)address_of("fssl_conn_seal");
    library.pump = (pump_function *)address_of("fssl_conn_pump");
    return self;
}

void Init_core(void);

void Init_core(void)
{
    VALUE flatssl = rb_define_module("FlatSSL");
    VALUE core = rb_define_module_under(flatssl, "Core");

    id_handle = rb_intern("@handle");
    id_checked = rb_intern("checked");
    id_text = rb_intern("text");
    id_to_s = rb_intern("to_s");
    id_from_result = rb_intern("from_result");
    id_sent = rb_intern("sent=");
    native = rb_const_get(flatssl, rb_intern("Native"));
    error_class = rb_const_get(flatssl, rb_intern("Error"));
    rb_define_const(core, "FORM", INT2FIX(FORM));
    rb_define_singleton_method(core, "attach", core_attach, 0);
    rb_define_method(core, "recv", conn_recv, -1);
    rb_define_method(core, "send", conn_send, 1);
    rb_define_method(core, "write", conn_write, 1);
    rb_define_method(core, "send_all", conn_write, 1);
    rb_define_method(core, "bio_read", conn_bio_read, -1);
    rb_define_method(core, "bio_write", conn_bio_write, 1);
    rb_define_method(core, "pump", conn_pump, -1);
    rb_define_method(core, "seal", conn_seal, 1);
}
