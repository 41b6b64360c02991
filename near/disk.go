package near

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"rempart/internal/durable"
	"rempart/pdq"
)

// ErrLocked says that another process has the folder of an index open.
var ErrLocked = errors.New("another process has it open")

// Options say how an index on disk is used.
type Options struct {
	// Read has segments read into memory instead of mapped. It takes the
	// memory twice while the system keeps the file too, and makes searches
	// faster where it gives huge pages.
	Read bool
}

// A disk is the folder of an index:
//
//	lock                      held while the index is open
//	manifest                  the segments and the first log
//	segment-<16 hex digits>   see segment
//	log-<16 hex digits>       see journal
//
// Files that the manifest does not reach are what a crash left.
type disk struct {
	dir  string
	opts Options
	lock *os.File

	mu   sync.Mutex // guards what follows
	logs []*journal // the oldest first; the last takes the changes
	next uint64     // number of the next file
	lost int64
	err  error // the first failure to write: nothing is merged after it
}

// Open opens the index in the folder dir, and makes one there if there is none.
// One process at a time can have it open.
//
// Every byte is checked before Open returns; damage is an error. A change is
// visible at once, and lasts when a Sync that began after it has returned
// without an error. After a crash every such change is there, and perhaps some
// of those made later, the earliest first.
func Open(dir string, opts Options) (*Index, error) {
	return open(dir, opts, usual)
}

func open(dir string, opts Options, t tuning) (_ *Index, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("near: opening %s: %w", dir, err)
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	x := newIndex(t)
	d := &disk{dir: dir, opts: opts, lock: lock}
	if err := x.load(d); err != nil {
		for _, s := range x.segments {
			err = errors.Join(err, s.release())
		}
		return nil, errors.Join(err, lock.Close())
	}
	x.disk = d
	x.mu.Lock()
	defer x.mu.Unlock()
	x.startMerge()
	return x, nil
}

func (d *disk) path(kind string, number uint64) string {
	return filepath.Join(d.dir, fmt.Sprintf("%s-%016x", kind, number))
}

// load reads what is in the folder, deletes what a crash left, and starts a log.
func (x *Index) load(d *disk) error {
	if err := durable.Sweep(d.dir); err != nil {
		return err
	}
	segments, logs, err := d.list()
	if err != nil {
		return err
	}
	m, known := new(manifest), true
	switch data, err := os.ReadFile(d.manifest()); {
	case err == nil:
		if m, err = decodeManifest(data); err != nil {
			return err
		}
		if !slices.Contains(logs, m.firstLog) {
			return fmt.Errorf("%w: log %x is missing", errDamaged, m.firstLog)
		}
	case !errors.Is(err, os.ErrNotExist):
		return err
	case len(segments) > 0:
		return fmt.Errorf("%w: there are segments and no manifest", errDamaged)
	default:
		known = false // a new index, or one that a crash left before it was
	}
	for _, l := range m.segments {
		s, err := d.open(l)
		if err != nil {
			return err
		}
		x.segments = append(x.segments, s)
		x.live += s.n - s.deaths
		x.tuning.ready(s)
	}
	for _, number := range logs {
		if number < m.firstLog {
			continue
		}
		data, err := os.ReadFile(d.path("log", number))
		if err != nil {
			return err
		}
		left, err := replay(data, x.apply)
		if err != nil {
			return err
		}
		d.lost += int64(left)
		d.logs = append(d.logs, &journal{number: number, name: d.path("log", number), closed: true})
	}
	if err := d.clean(m, segments, logs); err != nil {
		return err
	}
	for _, n := range append(segments, logs...) {
		d.next = max(d.next, n+1)
	}
	if err := d.startLog(); err != nil {
		return err
	}
	if known {
		return nil
	}
	if err := d.current().sync(d.dir); err != nil {
		return err
	}
	return durable.WriteFile(d.manifest(), (&manifest{firstLog: d.logs[0].number}).encode())
}

func (d *disk) manifest() string { return filepath.Join(d.dir, "manifest") }

// apply does what a log says.
func (x *Index) apply(op byte, id ID, h pdq.Hash) {
	x.remove(id)
	if op == opAdd {
		x.tail.add(id, h.Words())
		x.live++
	}
}

// list returns the numbers of the segments and logs in the folder, rising.
func (d *disk) list() (segments, logs []uint64, err error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		kind, digits, _ := strings.Cut(e.Name(), "-")
		var number uint64
		if _, err := fmt.Sscanf(digits, "%016x", &number); err != nil || len(digits) != 16 {
			continue // the lock, the manifest, or not ours
		}
		switch kind {
		case "segment":
			segments = append(segments, number)
		case "log":
			logs = append(logs, number)
		}
	}
	slices.Sort(segments)
	slices.Sort(logs)
	return segments, logs, nil
}

// clean deletes the segments and logs that m does not reach.
func (d *disk) clean(m *manifest, segments, logs []uint64) error {
	for _, n := range segments {
		if !slices.ContainsFunc(m.segments, func(l listed) bool { return l.number == n }) {
			if err := os.Remove(d.path("segment", n)); err != nil {
				return err
			}
		}
	}
	for _, n := range logs {
		if n < m.firstLog {
			if err := os.Remove(d.path("log", n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens a segment that a manifest lists.
func (d *disk) open(l listed) (*segment, error) {
	s, err := d.take(l.number)
	if err != nil {
		return nil, err
	}
	if s.n != int(l.n) || s.sum() != l.sum {
		return nil, errors.Join(fmt.Errorf("%w: segment %x is not the one that is listed", errDamaged, l.number), s.release())
	}
	s.dead, s.deaths = l.dead, countBits(l.dead)
	return s, nil
}

// take opens the segment file of a number.
func (d *disk) take(number uint64) (*segment, error) {
	get := mapFile
	if d.opts.Read {
		get = readFile
	}
	data, free, err := get(d.path("segment", number))
	if err != nil {
		return nil, err
	}
	s, err := openSegment(data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("segment %x: %w", number, err), (&segment{free: free}).release())
	}
	s.number, s.free = number, free
	return s, nil
}

// readFile reads a file into huge pages.
func readFile(name string) ([]byte, func() error, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	b, free := makeBytes(int(info.Size()))
	_, err = io.ReadFull(f, b)
	return b, free, err
}

func (s *segment) sum() uint32 {
	return binary.LittleEndian.Uint32(s.data[len(s.data)-trailerLen+8:])
}

func (d *disk) current() *journal { return d.logs[len(d.logs)-1] }

// startLog begins a log: the changes after this go there.
func (d *disk) startLog() error {
	j, err := createJournal(d.path("log", d.next), d.next)
	if err != nil {
		return err
	}
	d.next++
	d.logs = append(d.logs, j)
	return nil
}

// note writes a change down, for Sync.
func (d *disk) note(op byte, id ID, h pdq.Hash) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail(d.current().note(op, id, h))
}

// fail keeps the first error. The caller holds mu.
func (d *disk) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *disk) failed() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// sync returns when every change noted before lasts.
func (d *disk) sync() error {
	d.mu.Lock()
	logs, err := slices.Clone(d.logs), d.err
	d.mu.Unlock()
	for _, j := range logs {
		if err == nil {
			err = j.sync(d.dir)
		}
	}
	if err != nil {
		d.mu.Lock()
		d.fail(err)
		d.mu.Unlock()
	}
	return err
}

// rotate starts a new log and returns its number: the changes in the earlier
// ones are those of full and before.
func (d *disk) rotate() (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		d.fail(d.startLog())
	}
	return d.current().number, d.err
}

// syncEvery is how many bytes of a segment are written at once, and begin to be
// synced while its next tables are made.
const syncEvery = 64 << 20

// save finishes a segment, writes it as it grows, and opens its file.
func (d *disk) save(b *builder, workers int) (*segment, error) {
	d.mu.Lock()
	number := d.next
	d.next++
	d.mu.Unlock()
	var made *segment
	err := durable.Write(d.path("segment", number), func(w io.Writer) error {
		var err error
		made, err = b.finish(workers, func(part []byte) error {
			for len(part) > 0 {
				n := min(len(part), syncEvery)
				if _, err := w.Write(part[:n]); err != nil {
					return err
				}
				part = part[n:]
				if f, ok := w.(*os.File); ok && n == syncEvery {
					if err := f.Sync(); err != nil {
						return err
					}
				}
			}
			return nil
		})
		return err
	})
	if made == nil {
		made = &segment{free: b.free} // nothing was begun
	}
	if err := errors.Join(err, made.release()); err != nil {
		return nil, err
	}
	return d.take(number)
}

// drop deletes what the manifest has just ceased to reach: the logs before
// first, and the segments, which nobody may be reading any more.
func (d *disk) drop(first uint64, segments map[*segment]bool) error {
	d.mu.Lock()
	var old []*journal
	for len(d.logs) > 0 && d.logs[0].number < first {
		old = append(old, d.logs[0])
		d.logs = d.logs[1:]
	}
	d.mu.Unlock()
	var errs []error
	for _, j := range old {
		errs = append(errs, j.close(), os.Remove(j.name))
	}
	for s := range segments {
		errs = append(errs, s.release(), os.Remove(d.path("segment", s.number)))
	}
	return errors.Join(errs...)
}

// crowded reports whether many openings without a merge have left many logs.
func (d *disk) crowded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.logs) > 8
}

// Sync returns when every change made before it lasts. In memory it does
// nothing. An error stays: once a write has failed nothing that followed is
// promised, every later Sync returns the same error, and the index must be
// opened again.
func (x *Index) Sync() error {
	if x.disk == nil {
		return nil
	}
	return x.disk.sync()
}

// Close waits for a merge under way, syncs, and gives up files and memory. No
// search may be under way, and the index must not be used again. One in memory
// that is not closed is collected like anything else.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.merging {
		x.calm.Wait()
	}
	var errs []error
	if x.disk != nil {
		errs = append(errs, x.disk.sync())
	}
	for _, s := range x.segments {
		errs = append(errs, s.release())
	}
	x.segments = nil
	x.held.set(nil)
	if x.disk == nil {
		return errors.Join(errs...)
	}
	for _, j := range x.disk.logs {
		errs = append(errs, j.close())
	}
	return errors.Join(append(errs, x.disk.lock.Close())...)
}

// Stats are numbers about an index.
type Stats struct {
	Values   int   // IDs filed
	Segments int   // merged sets
	Tail     int   // values in none yet, dead ones too
	Bytes    int64 // of segments
	Lost     int64 // bytes at the ends of logs that Open could not read: never synced, if the disk keeps its word
}

// Stats returns the numbers of now.
func (x *Index) Stats() Stats {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := Stats{Values: x.live, Segments: len(x.segments), Tail: x.tail.len()}
	if x.full != nil {
		s.Tail += x.full.len()
	}
	for _, g := range x.segments {
		s.Bytes += int64(len(g.data))
	}
	if x.disk != nil {
		s.Lost = x.disk.lost
	}
	return s
}
