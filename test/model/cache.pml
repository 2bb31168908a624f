/* cache: a model of engine/cache.c and engine/cache_writer.c, for spin; the
 * script check beside it says what is run.
 *
 * What is inline here has the name of the function that it models: who changes
 * one changes the other. Only ghost_... is not in the code.
 *
 * The writer does OPERATIONS operations, of any kind and in any order, and may
 * be killed before every single store, KILLS times; then another takes over.
 * After each store, what is served must be in force, and whole.
 *
 * A reader takes no part in what the writer does. So it runs afterwards, on the
 * list of all stores, and each of its loads may see any of them: old or new, but
 * for what C promises of release and acquire, which is that whoever has loaded a
 * store has also seen all that were made before it.
 *
 * A word of the area is the version of the response it belongs to and its place
 * in the record, so that it shows when a record is torn: 0 is the head with slot
 * and length, 1 the expiry, 2 the DER.
 */
#ifndef WORDS
#define WORDS 11 /* of the area */
#endif
#ifndef OPERATIONS
#define OPERATIONS 5
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef LARGE
#define LARGE 3 /* words of the larger kind of records; the others have 2 */
#endif
#define SLOTS 2
#define TRIES 3
#define VERSIONS (OPERATIONS + 1)

/* --- the segment ----------------------------------------------------- */

#define POS(slot) (WORDS + (slot))
#define HELD(slot) (WORDS + SLOTS + (slot))
#define HEAD (WORDS + 2 * SLOTS)
#define TAIL (HEAD + 1)
#define LARGEST (HEAD + 2)
#define TURN (HEAD + 3)
#define STATE(half, word) (HEAD + 4 + 2 * (half) + (word))
#define CELLS (HEAD + 8)

#define AT(position) ((position) % WORDS)
#define WORD(version, place) ((version)*4 + (place))
#define VERSION(word) ((word) / 4)
#define PLACE(word) ((word) % 4)

byte cell[CELLS];
byte slot_of[VERSIONS], size_of[VERSIONS];

/* What is to be in force: versions; 0: none. */
byte served[SLOTS], waiting[SLOTS], told;
byte versions;
byte kills = KILLS;
bool over;

/* --- the stores ------------------------------------------------------ */

#ifdef READER
#define STORES 120
byte where[STORES], what[STORES];
byte stores;
#define RECORD(c, value)                                                       \
    stores++;                                                                  \
    where[stores] = c;                                                         \
    what[stores] = value
#else
#define RECORD(c, value) skip
#endif

/* A record at the position has all words of the version, and is not free. */
#define WHOLE(position, version)                                               \
    (cell[AT(position)] == WORD(version, 0) &&                                 \
     cell[AT(position + 1)] == WORD(version, 1) &&                             \
     (size_of[version] == 2 || cell[AT(position + 2)] == WORD(version, 2)) &&  \
     cell[TAIL] <= position &&                                                 \
     position + size_of[version] <= cell[TAIL] + WORDS)

/* In force: the record that is to be, and nothing else. */
#define IN_FORCE(position, version)                                            \
    ((position == 0 && version == 0) ||                                        \
     (position != 0 && version != 0 && WHOLE(position, version)))

inline ghost_check()
{
    c = 0;
    do
    :: c < SLOTS ->
        assert(IN_FORCE(cell[POS(c)], served[c]));
        assert(IN_FORCE(cell[HELD(c)], waiting[c]));
        /* never older than what is served; the same while it is promoted */
        assert(waiting[c] == 0 || waiting[c] >= served[c]);
        c++
    :: else -> break
    od;
    c = 0
}

/* @param ghost what is to be in force from then on */
#define ocspx_cache_set(to, value, ghost)                                      \
    if                                                                         \
    :: skip                                                                    \
    :: kills > 0 -> kills--; goto killed                                       \
    fi;                                                                        \
    d_step {                                                                   \
        ghost;                                                                 \
        RECORD(to, value);                                                     \
        cell[to] = value;                                                      \
        ghost_check()                                                          \
    }

/* --- cache_writer.c -------------------------------------------------- */

inline whole_head()
{
    d_step {
        here = cell[HEAD];
        i = 0;
#ifndef BREAK_WHOLE_HEAD
        do
        :: i < SLOTS && (cell[POS(i)] == here || cell[HELD(i)] == here) ->
            here = here + size_of[VERSION(cell[AT(here)])];
            break
        :: i < SLOTS && cell[POS(i)] != here && cell[HELD(i)] != here -> i++
        :: i == SLOTS -> break
        od;
#endif
        i = 0
    }
}

#define HELD_POS(slot) (cell[HELD(slot)] == cell[POS(slot)] -> 0 : cell[HELD(slot)])

inline end_promotion()
{
    i = 0;
    do
    :: i < SLOTS ->
        ocspx_cache_set(HELD(i), HELD_POS(i),
            waiting[i] = (HELD_POS(i) == 0 -> 0 : waiting[i]));
        i++
    :: else -> break
    od
}

/* Of what it counts only the largest is a cell; see ghost_count. */
inline take_stock()
{
    d_step {
        largest = 0;
        i = POS(0);
        do
        :: i < HEAD && cell[i] != 0 ->
            if
            :: largest < size_of[VERSION(cell[AT(cell[i])])] ->
                largest = size_of[VERSION(cell[AT(cell[i])])]
            :: else -> skip
            fi;
            i++
        :: i < HEAD && cell[i] == 0 -> i++
        :: i == HEAD -> break
        od;
        i = 0
    }
    ocspx_cache_set(LARGEST, largest, skip);
    largest = 0
}

#define place(at_cell, size, ghost)                                            \
    ocspx_cache_set(at_cell, cell[HEAD], ghost);                               \
    ocspx_cache_set(HEAD, cell[HEAD] + size, skip)

/* By put_word, as append_copy. */
inline copy_in(version)
{
    j = 0;
    do
    :: j < size_of[version] ->
        ocspx_cache_set(AT(cell[HEAD] + j), WORD(version, j), skip);
        j++
    :: else -> break
    od;
    j = 0
}

inline append_copy(from, size)
{
    j = 0;
    do
    :: j < size ->
        ocspx_cache_set(AT(cell[HEAD] + j), cell[AT(from + j)], skip);
        j++
    :: else -> break
    od;
    j = 0
}

#define FREE_WORDS (WORDS - (cell[HEAD] - cell[TAIL]))

inline free_oldest()
{
    d_step {
        old = cell[TAIL];
        version = VERSION(cell[AT(old)]);
        assert(version != 0 && PLACE(cell[AT(old)]) == 0);
    }
#ifdef BREAK_FREE_FIRST
    ocspx_cache_set(TAIL, old + size_of[version], skip);
#endif
    if
    :: cell[POS(slot_of[version])] == old ->
        assert(FREE_WORDS >= size_of[version]);
        append_copy(old, size_of[version]);
        place(POS(slot_of[version]), size_of[version], skip)
    :: cell[POS(slot_of[version])] != old &&
       cell[HELD(slot_of[version])] == old ->
        assert(FREE_WORDS >= size_of[version]);
        append_copy(old, size_of[version]);
        place(HELD(slot_of[version]), size_of[version], skip)
    :: else -> skip
    fi;
#ifndef BREAK_FREE_FIRST
    ocspx_cache_set(TAIL, old + size_of[version], skip);
#endif
    d_step { old = 0; version = 0 }
}

inline make_room(wanted)
{
    lap = cell[HEAD];
    do
    :: FREE_WORDS < wanted ->
        assert(cell[TAIL] < lap); /* there is room after one lap */
        free_oldest()
    :: else -> break
    od;
    lap = 0
}

/* What set_position keeps count of, counted each time: live and bare (slots that
 * serve nothing), without what at_cell has. */
inline ghost_count(at_cell)
{
    d_step {
        live = 0;
        bare = 0;
        i = POS(0);
        do
        :: i < HEAD && cell[i] != 0 ->
            if
            :: i != at_cell ->
                live = live + size_of[VERSION(cell[AT(cell[i])])]
            :: else -> skip
            fi;
            i++
        :: i < HEAD && cell[i] == 0 ->
            bare = bare + (i < HELD(0) -> 1 : 0);
            i++
        :: i == HEAD -> break
        od;
        i = 0
    }
}

#ifdef BREAK_ROOM
#define SPARE 1
#else
#define SPARE 2
#endif

#define CLAIM(is_held, size)                                                   \
    (live + size + (SPARE + (is_held -> bare : 0)) *                           \
                       (cell[LARGEST] < size -> size : cell[LARGEST]))

inline admit(at_cell, is_held, size)
{
    ghost_count(at_cell);
    if
    :: CLAIM(is_held, size) > WORDS -> take_stock()
    :: else -> skip
    fi;
    fits = CLAIM(is_held, size) <= WORDS;
    if
    :: fits && cell[LARGEST] < size -> ocspx_cache_set(LARGEST, size, skip)
    :: else -> skip
    fi;
    if
    :: fits -> make_room(size + cell[LARGEST])
    :: else -> skip
    fi;
    d_step { live = 0; bare = 0 }
}

/* A new version for the slot. */
inline ghost_obtain(size)
{
    d_step {
        versions++;
        slot_of[versions] = slot;
        size_of[versions] = size;
        mine = versions
    }
}

inline ocspx_cache_forget()
{
    ocspx_cache_set(HELD(slot), 0, waiting[slot] = 0)
}

inline ocspx_cache_put(size)
{
    ghost_obtain(size);
    admit(POS(slot), false, size);
    if
    :: fits ->
#ifdef BREAK_PUBLISH_FIRST
        ocspx_cache_forget();
        place(POS(slot), size, served[slot] = mine);
        ocspx_cache_set(HEAD, cell[HEAD] - size, skip);
        copy_in(mine);
        ocspx_cache_set(HEAD, cell[HEAD] + size, skip)
#else
        copy_in(mine);
#ifndef BREAK_FORGET_LAST
        ocspx_cache_forget();
#endif
        place(POS(slot), size, served[slot] = mine);
#ifdef BREAK_FORGET_LAST
        ocspx_cache_forget()
#endif
#endif
    :: else -> /* what was put once can always be replaced by as much */
        assert(served[slot] == 0 || size_of[served[slot]] < size)
    fi
}

inline ocspx_cache_hold(size)
{
    ghost_obtain(size);
    admit(HELD(slot), true, size);
    if
    :: fits ->
        copy_in(mine);
        place(HELD(slot), size, waiting[slot] = mine)
    :: else -> skip
    fi
}

inline ocspx_cache_promote()
{
#ifdef BREAK_PROMOTE
    old = cell[HELD(slot)];
    ocspx_cache_set(HELD(slot), 0, skip);
    ocspx_cache_set(POS(slot), old, served[slot] = waiting[slot]; waiting[slot] = 0)
#else
    ocspx_cache_set(POS(slot), cell[HELD(slot)], served[slot] = waiting[slot]);
    ocspx_cache_set(HELD(slot), 0, waiting[slot] = 0)
#endif
}

inline ocspx_cache_withdraw()
{
    ocspx_cache_forget();
    ocspx_cache_set(POS(slot), 0, served[slot] = 0)
}

inline ocspx_cache_state_set()
{
    mine = versions + 1;
    old = cell[TURN] + 1;
#ifdef BREAK_TURN_FIRST
    ocspx_cache_set(TURN, old, versions = mine);
#endif
    ocspx_cache_set(STATE(old % 2, 0), mine, skip);
    ocspx_cache_set(STATE(old % 2, 1), mine, skip);
#ifndef BREAK_TURN_FIRST
    ocspx_cache_set(TURN, old, versions = mine);
#endif
    old = 0
}

/* The records lie end to end, and every position has one of them. */
inline ocspx_cache_check()
{
    d_step {
        i = 0;
        live = 0;
        do
        :: i < SLOTS ->
            live = live + (cell[POS(i)] != 0 -> 1 : 0) +
                   (HELD_POS(i) != 0 -> 1 : 0);
            i++
        :: else -> break
        od;
        here = cell[TAIL];
        do
        :: here < cell[HEAD] ->
            version = VERSION(cell[AT(here)]);
            assert(version != 0 && PLACE(cell[AT(here)]) == 0);
            if
            :: cell[POS(slot_of[version])] == here ||
               cell[HELD(slot_of[version])] == here -> live--
            :: else -> skip
            fi;
            here = here + size_of[version]
        :: else -> break
        od;
        assert(here == cell[HEAD] && live == 0);
        i = 0;
        here = 0;
        version = 0
    }
}

active proctype writer()
{
    byte i, j, c, here, old, version, slot, mine, lap, live, largest, bare;
    byte left = OPERATIONS;
    bool fits;

    d_step {
        cell[HEAD] = WORDS; /* segment_init */
        cell[TAIL] = WORDS
    }
enter: /* ocspx_cache_writer_enter */
    skip;
    whole_head();
    ocspx_cache_set(HEAD, here, skip);
#ifndef BREAK_END_PROMOTION
    end_promotion();
#endif
    take_stock();
    ocspx_cache_check();
    do
    :: left > 0 ->
        left--;
#ifdef STATES
        ocspx_cache_state_set()
#else
        if
        :: slot = 0
        :: slot = 1
        fi;
        if
        :: ocspx_cache_put(2)
#if LARGE > 2
        :: ocspx_cache_put(LARGE)
#endif
#ifdef HOLDING
        :: served[slot] != 0 && waiting[slot] == 0 -> ocspx_cache_hold(2)
        :: waiting[slot] != 0 -> ocspx_cache_promote()
        :: waiting[slot] != 0 -> ocspx_cache_forget()
#endif
        :: served[slot] != 0 -> ocspx_cache_withdraw()
        fi;
        ocspx_cache_check()
#endif
    :: else -> break
    od;
    over = true;
    goto end;
killed: /* and the next one knows nothing of all this */
    skip;
    d_step {
        i = 0; j = 0; c = 0; here = 0; old = 0; version = 0; slot = 0; mine = 0;
        lap = 0; live = 0; largest = 0; bare = 0; fits = false
    }
    goto enter;
end:
    skip
}

/* --- cache.c --------------------------------------------------------- */

#ifdef READER

/* Of the stores to that cell, one that the reader may see; store 0 is what the
 * segment began with. */
inline ocspx_cache_get(value, from)
{
    atomic {
        seen = view;
        do
        :: seen > 0 && where[seen] != from -> seen--
        :: else -> break
        od;
        do
        :: break
        :: next = seen + 1;
           do
           :: next <= stores && where[next] != from -> next++
           :: else -> break
           od;
           if
           :: next <= stores -> seen = next
           :: else -> break
           fi
        od;
        value = (seen > 0 -> what[seen] : (from == TAIL -> WORDS : 0));
#ifndef BREAK_RELAXED
        view = (seen > view -> seen : view);
#endif
        seen = 0;
        next = 0
    }
}

inline copy_out()
{
    ocspx_cache_get(word, AT(pos));
    version = VERSION(word);
    torn = version == 0 || PLACE(word) != 0 || slot_of[version] != slot;
    if
    :: torn -> skip /* whatever it is taken for */
    :: else ->
        ocspx_cache_get(word, AT(pos + 1));
        expired = VERSION(word) % 2; /* the odd ones have */
        torn = torn || word != WORD(version, 1);
        if
        :: size_of[version] == 3 ->
            ocspx_cache_get(word, AT(pos + 2));
            torn = torn || word != WORD(version, 2)
        :: else -> skip
        fi
    fi;
    word = 0
}

inline ocspx_cache_read()
{
    do
    :: tries < TRIES ->
        ocspx_cache_get(pos, POS(slot));
        if
        :: pos == 0 -> break
        :: else -> skip
        fi;
        /* no stuck reader: what was overtaken is not found again */
        assert(pos != before);
#ifdef BREAK_CHECK_FIRST
        ocspx_cache_get(tail, TAIL);
        copy_out();
#else
        copy_out();
        ocspx_cache_get(tail, TAIL);
#endif
        if
        :: tail > pos -> before = pos; tries++
        :: else ->
            assert(!torn);                         /* no torn bytes */
            assert(expired || version % 2 == 0);   /* no expired read */
            break
        fi
    :: else -> break
    od
}

inline ocspx_cache_state_get()
{
    do
    :: tries < TRIES ->
        ocspx_cache_get(pos, TURN);
        ocspx_cache_get(word, STATE(pos % 2, 0));
        ocspx_cache_get(version, STATE(pos % 2, 1));
#ifdef BREAK_TURN_UNCHECKED
        tail = pos;
#else
        ocspx_cache_get(tail, TURN);
#endif
        if
        :: tail == pos -> assert(word == version); break
        :: else -> tries++
        fi
    :: else -> break
    od
}

active proctype reader()
{
    byte view, seen, next;
    byte slot, tries, pos, before, tail, version, word;
    bool torn, expired;

    over;
#ifdef STATES
    ocspx_cache_state_get()
#else
    if
    :: slot = 0
    :: slot = 1
    fi;
    ocspx_cache_read()
#endif
}

#endif
