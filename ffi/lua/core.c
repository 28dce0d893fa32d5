/* The module flatssl.core for PUC Lua 5.1 and 5.4: a Lua function for every declaration of
   abi/flatssl_decl.h. The functions are in calls.h, which generate.lua writes when the module is
   built; here is what they are made of. Each takes its arguments, makes one call and returns the
   result and then the outputs, or nil and a text for an argument that does not fit. */
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "flatssl.h"

enum { SCRATCH = 65536 }; /* more than a record of TLS, which has 16384 */

struct call {
    lua_State *L;
    int refused; /* the first argument that does not fit, 0 for none */
    const char *name;
    const char *wanted;
};

struct text {
    const void *data;
    int64_t len;
};

struct buffer {
    void *data;
    int64_t size;
    bool given;     /* the caller gave its capacity */
    bool measuring; /* the call asks for the length alone */
};

struct function {
    const char *name;
    lua_CFunction call;
    int outputs;
    const char *result;
};

struct constant {
    const char *name;
    int value;
};

struct skipped {
    const char *name;
    const char *reason;
};

/* ---- arguments ---- */

/* Missing arguments become nil, so that a buffer pushed later does not stand in for one. */
static struct call call_begin(lua_State *L, int arguments)
{
    struct call call = {L, 0, NULL, NULL};

    lua_settop(L, arguments);
    return call;
}

static void call_refuse(struct call *call, int index, const char *name, const char *wanted)
{
    if (call->refused)
        return;
    call->refused = index;
    call->name = name;
    call->wanted = wanted;
}

static int call_refused(const struct call *call)
{
    lua_State *L = call->L;
    bool number = lua_type(L, call->refused) == LUA_TNUMBER;
    const char *what = number ? lua_tostring(L, call->refused) : luaL_typename(L, call->refused);

    lua_pushnil(L);
    lua_pushfstring(L, "%s is to be %s, not %s", call->name, call->wanted, what);
    return 2;
}

static bool whole(lua_State *L, int index, int64_t *value)
{
    if (lua_type(L, index) != LUA_TNUMBER)
        return false;
#if LUA_VERSION_NUM >= 503
    int exact;

    *value = lua_tointegerx(L, index, &exact);
    return exact;
#else
    const lua_Number most = 9007199254740992.0; /* 2^53 */
    lua_Number number = lua_tonumber(L, index);

    if (!(number >= -most && number <= most))
        return false;
    *value = (int64_t)number;
    return (lua_Number)*value == number;
#endif
}

static int64_t take_int64(struct call *call, int index, const char *name)
{
    int64_t value = 0;

    if (!whole(call->L, index, &value))
        call_refuse(call, index, name, "a whole number of 64 bits");
    return value;
}

static int32_t take_int32(struct call *call, int index, const char *name)
{
    int64_t value = 0;

    if (lua_isboolean(call->L, index))
        return lua_toboolean(call->L, index);
    if (!whole(call->L, index, &value) || value < INT32_MIN || value > INT32_MAX)
        call_refuse(call, index, name, "a whole number of 32 bits");
    return (int32_t)value;
}

/* An object is a table with its handle. */
static int64_t take_handle(struct call *call, int index, const char *name)
{
    lua_State *L = call->L;
    int64_t value = 0;
    bool fits;

    if (lua_istable(L, index)) {
        lua_pushliteral(L, "handle");
        lua_rawget(L, index);
    } else {
        lua_pushvalue(L, index);
    }
    fits = whole(L, -1, &value);
    lua_pop(L, 1);
    if (!fits)
        call_refuse(call, index, name, "a handle");
    return value;
}

static struct text take_text(struct call *call, int index, const char *name)
{
    struct text text = {NULL, 0};
    size_t len;

    if (lua_isnil(call->L, index))
        return text;
    if (lua_type(call->L, index) != LUA_TSTRING) {
        call_refuse(call, index, name, "text");
        return text;
    }
    text.data = lua_tolstring(call->L, index, &len);
    text.len = (int64_t)len;
    return text;
}

/* ---- buffers ---- */

static struct buffer take_buffer(struct call *call, int index, const char *name, bool optional)
{
    struct buffer buffer = {NULL, SCRATCH, true, false};

    if (optional && lua_isnil(call->L, index))
        buffer.given = false;
    else if (!whole(call->L, index, &buffer.size) || buffer.size < 0 || buffer.size > INT32_MAX)
        call_refuse(call, index, name, "a capacity");
    return buffer;
}

/* Memory that Lua frees. */
static void buffer_make(struct call *call, struct buffer *buffer)
{
    buffer->data = lua_newuserdata(call->L, (size_t)buffer->size + 1);
}

/* The scratch memory that all functions have as their upvalue, where it is enough: one half for the
   first buffer of a call, the other for the second. */
static void buffer_make_scratch(struct call *call, struct buffer *buffer, int half)
{
    if (buffer->size <= SCRATCH)
        buffer->data = (char *)lua_touserdata(call->L, lua_upvalueindex(1)) + half * SCRATCH;
    else
        buffer_make(call, buffer);
}

/* After a call: whether it is to be made again since the buffer was too small, first with none to
   learn the length and then with enough. Where the caller gave the capacity that is his to do. */
static bool buffer_grow(struct call *call, struct buffer *buffer, int64_t result)
{
    if (!buffer->measuring && result == -FSSL_E_BUFFER && !buffer->given) {
        *buffer = (struct buffer){NULL, 0, false, true};
        return true;
    }
    if (!buffer->measuring || result < 0)
        return false;
    *buffer = (struct buffer){NULL, result, false, false};
    buffer_make(call, buffer);
    return true;
}

/* ---- outputs ---- */

/* Lua 5.1 has no integers; its numbers are exact to 2^53. */
static void give_number(struct call *call, int64_t value)
{
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(call->L, value);
#else
    lua_pushnumber(call->L, (lua_Number)value);
#endif
}

/* A length beyond the capacity was asked for with capacity 0: nothing was written. */
static void give_bytes(struct call *call, const struct buffer *buffer, int64_t len)
{
    if (len < 0)
        lua_pushnil(call->L);
    else
        lua_pushlstring(call->L, buffer->data, len <= buffer->size ? (size_t)len : 0);
}

/* ---- the module ---- */

#include "calls.h"

static void give_functions(lua_State *L)
{
    lua_newtable(L);
    lua_newuserdata(L, 2 * SCRATCH);
    for (const struct function *at = functions; at->name; at++) {
        lua_newtable(L);
        lua_pushvalue(L, -2);
        lua_pushcclosure(L, at->call, 1);
        lua_setfield(L, -2, "call");
        lua_pushinteger(L, at->outputs);
        lua_setfield(L, -2, "outputs");
        lua_pushstring(L, at->result);
        lua_setfield(L, -2, "result");
        lua_setfield(L, -3, at->name);
    }
    lua_pop(L, 1);
}

static void give_constants(lua_State *L)
{
    lua_newtable(L);
    for (const struct constant *at = constants; at->name; at++) {
        lua_pushinteger(L, at->value);
        lua_setfield(L, -2, at->name);
    }
}

static void give_skipped(lua_State *L)
{
    lua_newtable(L);
    for (const struct skipped *at = skipped; at->name; at++) {
        lua_pushstring(L, at->reason);
        lua_setfield(L, -2, at->name);
    }
}

int luaopen_flatssl_core(lua_State *L);

int luaopen_flatssl_core(lua_State *L)
{
    lua_newtable(L);
    give_functions(L);
    lua_setfield(L, -2, "functions");
    give_constants(L);
    lua_setfield(L, -2, "constants");
    give_skipped(L);
    lua_setfield(L, -2, "skipped");
    return 1;
}
