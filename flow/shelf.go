package flow

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"rempart"
	"rempart/near"
	"rempart/store"
)

// A shelf holds what is known of the active entries, by number. The index's mu
// guards it: held to change it, read-held to read it.
type shelf interface {
	get(num uint64) (store.Change, bool)
	exact(f rempart.Fingerprint) []uint64 // the entries of an exact type and value
	put(c store.Change)
	remove(num uint64)
	len() int
}

// A memoryShelf is one in memory, filled anew by each process.
type memoryShelf struct {
	entries map[uint64]store.Change
	values  map[rempart.Fingerprint][]uint64 // of exact types, by type and value
}

func newMemoryShelf() *memoryShelf {
	return &memoryShelf{entries: map[uint64]store.Change{}, values: map[rempart.Fingerprint][]uint64{}}
}

func (s *memoryShelf) get(num uint64) (store.Change, bool) {
	c, ok := s.entries[num]
	return c, ok
}

func (s *memoryShelf) exact(f rempart.Fingerprint) []uint64 { return s.values[exactKey(f)] }

func (s *memoryShelf) put(c store.Change) {
	s.remove(c.Num)
	s.entries[c.Num] = c
	if !c.Entry.Fingerprint.Type.Perceptual() {
		k := exactKey(c.Entry.Fingerprint)
		s.values[k] = append(s.values[k], c.Num)
	}
}

func (s *memoryShelf) remove(num uint64) {
	old, had := s.entries[num]
	if !had {
		return
	}
	delete(s.entries, num)
	k := exactKey(old.Entry.Fingerprint)
	kept := slices.DeleteFunc(s.values[k], func(n uint64) bool { return n == num })
	if s.values[k] = kept; len(kept) == 0 {
		delete(s.values, k)
	}
}

func (s *memoryShelf) len() int { return len(s.entries) }

// A diskShelf keeps them in the node's local copy, and in memory those that are
// not saved there yet and those that were asked for lately.
type diskShelf struct {
	copy *store.LocalCopy
	near *near.Index
	n    int
	top  uint64 // the highest number that may be in the copy: what is new is not looked for there

	// What is newer than the copy; nil is an entry that is gone. saving is on its
	// way there.
	pending, saving map[uint64]*store.Change
	values          map[rempart.Fingerprint][]uint64 // of exact types in both, some perhaps no longer so

	fault atomic.Pointer[error] // the copy cannot be read: nothing may be answered from it

	mu     sync.Mutex // guards recent, which is changed while reading
	recent map[uint64]store.Change
}

const (
	maxRecent  = 1 << 16 // entries
	maxPending = 50_000  // entries, after which the copy is written
)

func (s *diskShelf) get(num uint64) (store.Change, bool) {
	for _, newer := range []map[uint64]*store.Change{s.pending, s.saving} {
		if c, ok := newer[num]; ok {
			if c == nil {
				return store.Change{}, false
			}
			return *c, true
		}
	}
	if num > s.top {
		return store.Change{}, false
	}
	s.mu.Lock()
	c, ok := s.recent[num]
	s.mu.Unlock()
	if ok {
		return c, true
	}
	c, ok, err := s.copy.Entry(num)
	if err != nil {
		s.fault.Store(&err)
		return c, false
	}
	if ok && c.Entry.Fingerprint.Type != rempart.VPDQ {
		s.mu.Lock()
		if len(s.recent) >= maxRecent {
			clear(s.recent)
		}
		s.recent[num] = c
		s.mu.Unlock()
	}
	return c, ok
}

func (s *diskShelf) exact(f rempart.Fingerprint) []uint64 {
	nums, err := s.copy.Exact(f.Value)
	if err != nil {
		s.fault.Store(&err)
		return nil
	}
	nums = append(nums, s.values[exactKey(f)]...)
	slices.Sort(nums)
	return slices.DeleteFunc(slices.Compact(nums), func(num uint64) bool {
		c, ok := s.get(num)
		return !ok || exactKey(c.Entry.Fingerprint) != exactKey(f)
	})
}

func (s *diskShelf) put(c store.Change) {
	if _, had := s.get(c.Num); !had {
		s.n++
	}
	s.set(c.Num, &c)
	if !c.Entry.Fingerprint.Type.Perceptual() {
		k := exactKey(c.Entry.Fingerprint)
		s.values[k] = append(s.values[k], c.Num)
	}
}

func (s *diskShelf) remove(num uint64) {
	if _, had := s.get(num); had {
		s.n--
	}
	s.set(num, nil)
}

func (s *diskShelf) set(num uint64, c *store.Change) {
	s.pending[num] = c
	s.mu.Lock()
	delete(s.recent, num)
	s.mu.Unlock()
}

func (s *diskShelf) len() int { return s.n }

// save writes what is pending to the copy, after the index of values has it, with
// the cursor that was reached. If it cannot, everything stays in memory and
// nothing is lost but the time of reading it again after a restart.
func (s *diskShelf) save(ctx context.Context, x *index) error {
	x.mu.Lock()
	if len(s.pending) == 0 {
		x.mu.Unlock()
		return nil
	}
	s.saving, s.pending = s.pending, map[uint64]*store.Change{}
	cursor, count := x.cursor, s.n
	var put []store.Change
	var gone []uint64
	for num, c := range s.saving {
		if c == nil {
			gone = append(gone, num)
		} else {
			put = append(put, *c)
			s.top = max(s.top, num)
		}
	}
	x.mu.Unlock()
	err := s.near.Sync()
	if err == nil {
		err = s.copy.Save(ctx, put, gone, cursor, count)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		maps.Copy(s.saving, s.pending)
		s.pending, s.saving = s.saving, nil
		return err
	}
	s.saving, s.values = nil, map[rempart.Fingerprint][]uint64{}
	for num, c := range s.pending {
		if c != nil && !c.Entry.Fingerprint.Type.Perceptual() {
			k := exactKey(c.Entry.Fingerprint)
			s.values[k] = append(s.values[k], num)
		}
	}
	return nil
}

// copies is how many processes may keep a local copy in one folder, each its own.
const copies = 16

// openIndex opens the index that a folder holds of the database, or makes it; what
// is of another database, or damaged, is made anew. Where other processes have
// one, it takes the next place.
func openIndex(ctx context.Context, db *store.DB, dir string) (x *index, err error) {
	for k := 1; k <= copies; k++ {
		x, err = openAnew(ctx, db, filepath.Join(dir, strconv.Itoa(k)))
		if !errors.Is(err, near.ErrLocked) {
			break
		}
	}
	return x, err
}

// openFirst is openIndex of the first place only.
func openFirst(ctx context.Context, db *store.DB, dir string) (*index, error) {
	return openAnew(ctx, db, filepath.Join(dir, "1"))
}

// openAnew opens one place, after it was cleared if it can't be opened as it is.
func openAnew(ctx context.Context, db *store.DB, dir string) (*index, error) {
	x, err := openPlace(ctx, db, dir)
	if err == nil || errors.Is(err, near.ErrLocked) || ctx.Err() != nil {
		return x, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	return openPlace(ctx, db, dir)
}

func openPlace(ctx context.Context, db *store.DB, dir string) (_ *index, err error) {
	values, err := near.Open(filepath.Join(dir, "values"), near.Options{})
	if err != nil {
		return nil, err
	}
	s := &diskShelf{near: values, pending: map[uint64]*store.Change{}, values: map[rempart.Fingerprint][]uint64{}, recent: map[uint64]store.Change{}}
	x := newIndex(db)
	x.near, x.shelf, x.disk = values, s, s
	defer func() {
		if err != nil {
			err = errors.Join(err, x.close(ctx))
		}
	}()
	if s.copy, err = store.OpenCopy(ctx, filepath.Join(dir, "entries.db"), db.CopyOf()); err != nil {
		return nil, err
	}
	if s.copy.Place() == "" && values.Len() > 0 {
		return nil, store.ErrCopy // made halfway
	}
	if s.n, s.top, err = s.copy.Len(ctx); err != nil {
		return nil, err
	}
	videos, err := s.copy.Videos(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range videos {
		x.videos[c.Num] = c.Entry.Fingerprint.Images()
	}
	x.cursor = s.copy.Place()
	return x, nil
}

// close saves what is pending and closes the files, if there are any. Nothing may
// be looked up meanwhile or after it.
func (x *index) close(ctx context.Context) error {
	x.closing.Store(true)
	if x.disk == nil {
		return nil
	}
	var err error
	if x.disk.copy != nil {
		x.waitRound()
		err = errors.Join(x.disk.save(ctx, x), x.disk.copy.Close())
	}
	return errors.Join(err, x.near.Close())
}
