/* The module flatssl.core for PUC Lua 5.1 and 5.4: two Lua functions for every declaration of
   abi/flatssl_decl.h. They are in calls.h, which generate.lua writes when the module is built; here
   is what they are made of. Each takes its arguments and makes one call. The first, a rule's call,
   returns the result and then the outputs, or nil and a text for an argument that does not fit. The
   second, its method, returns what a user gets: of the result no more than the rule says, or nil
   and what the function that Lua puts into the table `failures` makes of a failure. Methods that
   make objects are Lua's. */
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <string.h>

#include "flatssl.h"

enum { SCRATCH = 65536 }; /* more than a record of TLS, which has 16384 */

/* The upvalues of all functions; a method alone has the last. */
enum { UP_SCRATCH = 1, UP_KEY, UP_MEMORY, UP_FAILURES };

struct call {
    lua_State *L;
    const char *function;
    bool method;
    int refused; /* the first argument that does not fit, 0 for none */
    const char *name;
    const char *wanted;
};

struct text {
    const void *data;
    int64_t len;
};

/* What flatssl.buffer makes: room for so many bytes, and how many it holds. */
struct memory {
    int64_t len, size;
    uint8_t data[];
};

struct buffer {
    void *data;
    int64_t size;
    bool given;            /* the caller gave its capacity */
    bool measuring;        /* the call asks for the length alone */
    struct memory *memory; /* the caller's own */
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
static struct call call_begin(lua_State *L, int arguments, const char *function)
{
    bool method = !lua_isnone(L, lua_upvalueindex(UP_FAILURES));
    struct call call = {L, function, method, 0, NULL, NULL};

    lua_settop(L, arguments);
    return call;
}

/* Calls Lua's function of failures, whose arguments are on top of the stack. */
static void call_failures(const struct call *call, int arguments, int results)
{
    lua_rawgeti(call->L, lua_upvalueindex(UP_FAILURES), 1);
    lua_insert(call->L, -1 - arguments);
    lua_call(call->L, arguments, results);
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
    if (call->method) {
        lua_pushstring(L, call->function);
        call_failures(call, 2, 1);
    }
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
        lua_pushvalue(L, lua_upvalueindex(UP_KEY));
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

/* Returns the memory that a value is, NULL for another. */
static struct memory *memory_of(lua_State *L, int index)
{
    bool same;

    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
        return NULL;
    same = lua_rawequal(L, -1, lua_upvalueindex(UP_MEMORY));
    lua_pop(L, 1);
    return same ? lua_touserdata(L, index) : NULL;
}

static struct text take_text(struct call *call, int index, const char *name)
{
    struct text text = {NULL, 0};
    const struct memory *memory;
    size_t len;

    if (lua_isnil(call->L, index))
        return text;
    memory = memory_of(call->L, index);
    if (memory)
        return (struct text){memory->data, memory->len};
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
    struct buffer buffer = {NULL, SCRATCH, true, false, memory_of(call->L, index)};

    if (buffer.memory) {
        buffer.size = buffer.memory->size;
        buffer.memory->len = 0; /* until something is in it */
    } else if (optional && lua_isnil(call->L, index)) {
        buffer.given = false;
    } else if (!whole(call->L, index, &buffer.size) || buffer.size < 0 || buffer.size > INT32_MAX) {
        call_refuse(call, index, name, "a capacity");
    }
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
    if (buffer->memory)
        buffer->data = buffer->memory->data;
    else if (buffer->size <= SCRATCH)
        buffer->data =
            (char *)lua_touserdata(call->L, lua_upvalueindex(UP_SCRATCH)) + half * SCRATCH;
    else
        buffer_make(call, buffer);
}

/* After a call: whether it is to be made again since the buffer was too small, first with none to
   learn the length and then with enough. Where the caller gave the capacity that is his to do. */
static bool buffer_grow(struct call *call, struct buffer *buffer, int64_t result)
{
    if (!buffer->measuring && result == -FSSL_E_BUFFER && !buffer->given) {
        *buffer = (struct buffer){NULL, 0, false, true, NULL};
        return true;
    }
    if (!buffer->measuring || result < 0)
        return false;
    *buffer = (struct buffer){NULL, result, false, false, NULL};
    buffer_make(call, buffer);
    return true;
}

/* Whether a call is to be made again since a signal ended it: a method runs a function of Lua's, in
   which Lua sees to its own handler, and goes on. */
static bool call_interrupted(struct call *call, int64_t result)
{
    if (!call->method || result != -FSSL_E_INTERRUPTED)
        return false;
    call_failures(call, 0, 0);
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
    if (len < 0) {
        lua_pushnil(call->L);
    } else if (buffer->memory) {
        buffer->memory->len = len;
        give_number(call, len);
    } else {
        lua_pushlstring(call->L, buffer->data, len <= buffer->size ? (size_t)len : 0);
    }
}

/* What a method makes of a result. */
enum { GIVE_NUMBER, GIVE_BOOLEAN, GIVE_NONE };

/* Returns how many values were given, -1 where a failure was: no outputs follow. */
static int give_result(struct call *call, int64_t result, int kind)
{
    if (call->method && result < 0) {
        lua_pushnil(call->L);
        give_number(call, result);
        call_failures(call, 1, 1);
        return -1;
    }
    if (call->method && kind == GIVE_NONE)
        return 0;
    if (call->method && kind == GIVE_BOOLEAN)
        lua_pushboolean(call->L, result != 0);
    else
        give_number(call, result);
    return 1;
}

/* ---- memory ---- */

static int memory_new(lua_State *L)
{
    int64_t size = 0;
    struct memory *memory;

    if (!whole(L, 1, &size) || size < 1 || size > INT32_MAX)
        return luaL_argerror(L, 1, "a size from 1 to 2^31 - 1 expected");
    memory = lua_newuserdata(L, sizeof *memory + (size_t)size);
    memory->len = 0;
    memory->size = size;
    lua_pushvalue(L, lua_upvalueindex(UP_MEMORY));
    lua_setmetatable(L, -2);
    return 1;
}

static struct memory *memory_check(lua_State *L)
{
    struct memory *memory = memory_of(L, 1);

    if (!memory)
        luaL_argerror(L, 1, "a flatssl.buffer expected");
    return memory;
}

static int memory_string(lua_State *L)
{
    const struct memory *memory = memory_check(L);

    lua_pushlstring(L, (const char *)memory->data, (size_t)memory->len);
    return 1;
}

static int memory_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)memory_check(L)->len);
    return 1;
}

static int memory_set(lua_State *L)
{
    struct memory *memory = memory_check(L);
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);

    if ((int64_t)len > memory->size)
        return luaL_argerror(L, 2, "more than the buffer's size");
    memcpy(memory->data, text, len);
    memory->len = (int64_t)len;
    return 0;
}

/* ---- the module ---- */

#include "calls.h"

/* Makes a closure of the first upvalues, which begin at an index. */
static void give_closure(lua_State *L, const char *name, lua_CFunction function, int at, int count)
{
    for (int i = 0; i < count; i++)
        lua_pushvalue(L, at + i);
    lua_pushcclosure(L, function, count);
    lua_setfield(L, -2, name);
}

/* Fills the metatable of memory. */
static void give_memory(lua_State *L, int at)
{
    lua_pushvalue(L, at + UP_MEMORY - 1);
    give_closure(L, "__tostring", memory_string, at, UP_MEMORY);
    give_closure(L, "__len", memory_len, at, UP_MEMORY);
    lua_newtable(L);
    give_closure(L, "string", memory_string, at, UP_MEMORY);
    give_closure(L, "set", memory_set, at, UP_MEMORY);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

static void give_functions(lua_State *L, int at)
{
    lua_newtable(L);
    for (const struct function *function = functions; function->name; function++) {
        lua_newtable(L);
        give_closure(L, "call", function->call, at, UP_MEMORY);
        if (strcmp(function->result, "handle") != 0)
            give_closure(L, "method", function->call, at, UP_FAILURES);
        lua_pushinteger(L, function->outputs);
        lua_setfield(L, -2, "outputs");
        lua_pushstring(L, function->result);
        lua_setfield(L, -2, "result");
        lua_setfield(L, -2, function->name);
    }
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
    int at = lua_gettop(L) + 1;

    lua_newuserdata(L, 2 * SCRATCH);
    lua_pushliteral(L, "handle");
    lua_newtable(L); /* the metatable of memory */
    lua_newtable(L); /* for the function of failures */
    give_memory(L, at);
    lua_newtable(L);
    give_functions(L, at);
    lua_setfield(L, -2, "functions");
    give_closure(L, "buffer", memory_new, at, UP_MEMORY);
    lua_pushvalue(L, at + UP_FAILURES - 1);
    lua_setfield(L, -2, "failures");
    give_constants(L);
    lua_setfield(L, -2, "constants");
    give_skipped(L);
    lua_setfield(L, -2, "skipped");
    return 1;
}
