package near

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sync"

	"rempart/internal/durable"
	"rempart/pdq"
)

// A journal is a file of the changes since a merge began, in their order.
// Version 1, numbers little-endian as in a segment:
//
//	"near log 1\n"
//	for each change:
//	    1 [1], id [8], value [32], CRC32C of these [4]     added
//	    2 [1], id [8], CRC32C of these [4]                 removed
//
// A crash may cut it or leave rubbish at its end, in what was not synced: it is
// read up to the first change that is not whole.
type journal struct {
	number uint64
	name   string
	file   *os.File

	ioMu   sync.Mutex // held while writing, so that the order stays; taken before mu
	synced bool       // the folder too
	closed bool       // by its owner, when a manifest makes it needless

	mu  sync.Mutex // guards what follows, never held while writing
	buf []byte     // changes not yet written
}

const (
	journalMagic = "near log 1\n"
	opAdd        = 1
	opRemove     = 2
	journalRoom  = 1 << 20
)

// createJournal makes a journal. It lasts from the first sync on.
func createJournal(name string, number uint64) (*journal, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("near: starting a log: %w", err)
	}
	return &journal{number: number, name: name, file: f, buf: []byte(journalMagic)}, nil
}

// note appends a change, for the next sync to write.
func (j *journal) note(op byte, id ID, h pdq.Hash) error {
	j.mu.Lock()
	from := len(j.buf)
	j.buf = binary.LittleEndian.AppendUint64(append(j.buf, op), uint64(id))
	if op == opAdd {
		j.buf = append(j.buf, h[:]...)
	}
	j.buf = binary.LittleEndian.AppendUint32(j.buf, crc32.Checksum(j.buf[from:], castagnoli))
	full := len(j.buf) >= journalRoom
	j.mu.Unlock()
	if !full {
		return nil
	}
	j.ioMu.Lock()
	defer j.ioMu.Unlock()
	return j.write()
}

// write writes what was noted. The caller holds ioMu.
func (j *journal) write() error {
	j.mu.Lock()
	buf := j.buf
	j.buf = nil
	j.mu.Unlock()
	if _, err := j.file.Write(buf); err != nil {
		return fmt.Errorf("near: writing the log: %w", err)
	}
	return nil
}

// sync returns when all that was noted lasts.
func (j *journal) sync(dir string) error {
	j.ioMu.Lock()
	defer j.ioMu.Unlock()
	if j.closed {
		return nil
	}
	if err := j.write(); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("near: syncing the log: %w", err)
	}
	if !j.synced {
		if err := durable.SyncDir(dir); err != nil {
			return fmt.Errorf("near: syncing the log: %w", err)
		}
		j.synced = true
	}
	return nil
}

func (j *journal) close() error {
	j.ioMu.Lock()
	defer j.ioMu.Unlock()
	j.closed = true
	if j.file == nil {
		return nil // read at Open, never written
	}
	return j.file.Close()
}

// replay calls change for each whole change of data, and returns the number of
// bytes after them.
func replay(data []byte, change func(op byte, id ID, h pdq.Hash)) (left int, err error) {
	if len(data) < len(journalMagic) {
		return len(data), nil // a crash before the first sync
	}
	if string(data[:len(journalMagic)]) != journalMagic {
		return 0, errors.New("near: a log does not begin as one")
	}
	data = data[len(journalMagic):]
	for len(data) >= 13 {
		length := 9
		var h pdq.Hash
		switch data[0] {
		case opAdd:
			length += len(h)
		case opRemove:
		default:
			return len(data), nil
		}
		if len(data) < length+4 || binary.LittleEndian.Uint32(data[length:]) != crc32.Checksum(data[:length], castagnoli) {
			break
		}
		copy(h[:], data[9:length])
		change(data[0], ID(binary.LittleEndian.Uint64(data[1:])), h)
		data = data[length+4:]
	}
	return len(data), nil
}
