package stats

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// A File is a table that can be read in any place, as Parquet must be.
type File interface {
	io.Reader
	io.ReaderAt
	Size() int64 // in bytes
}

// isParquet says whether a file starts as Parquet does.
func isParquet(f File) bool {
	var head [4]byte
	_, err := f.ReadAt(head[:], 0)
	return (err == nil || errors.Is(err, io.EOF)) && string(head[:]) == "PAR1"
}

// maxColumn is the most bytes of a column of one row group that are read: what a
// hostile or a strange file may make us hold.
const maxColumn = 1 << 30

// readParquet reads a labelled table as Parquet, a few hundred rows at once.
func readParquet(f File, row func(Row), refused func(*RowError)) (err error) {
	defer func() {
		// the library answers some broken files so
		if p := recover(); p != nil {
			err = fmt.Errorf("reading the table as Parquet: %v", p)
		}
	}()
	file, err := parquet.OpenFile(f, f.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("reading the table as Parquet: %w", err)
	}
	fields := file.Schema().Fields()
	names := make([]string, len(fields))
	for i, c := range fields {
		if names[i] = c.Name(); !c.Leaf() || c.Repeated() {
			return fmt.Errorf("the column %s holds lists or groups; a labelled table has one text, date or number a cell", c.Name())
		}
	}
	h, err := newHeader(names, false)
	if err != nil {
		return err
	}
	cells := make([]func(parquet.Value) string, len(fields))
	for i, c := range fields {
		cells[i] = cellOf(c.Type())
	}
	for i, g := range file.Metadata().RowGroups {
		for k, c := range g.Columns {
			if c.MetaData.TotalUncompressedSize > maxColumn {
				return fmt.Errorf("row group %d: the column %s has more than %d MB; write it with smaller row groups", i+1, names[k], maxColumn>>20)
			}
		}
	}
	line := 1
	for _, g := range file.RowGroups() {
		if line, err = readGroup(g, h, cells, line, row, refused); err != nil {
			return fmt.Errorf("reading the table as Parquet, after line %d: %w", line, err)
		}
	}
	return nil
}

// readGroup reads the rows of a row group; it returns the line of the last.
func readGroup(g parquet.RowGroup, h header, cells []func(parquet.Value) string, line int, row func(Row), refused func(*RowError)) (_ int, err error) {
	rows := g.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	batch := make([]parquet.Row, 256)
	record := make([]string, h.fields)
	for {
		n, err := rows.ReadRows(batch)
		for _, values := range batch[:n] {
			line++
			clear(record)
			for _, v := range values {
				if c := v.Column(); c >= 0 && c < len(record) && !v.IsNull() {
					record[c] = cells[c](v)
				}
			}
			if r, bad := parseRecord(record, h, line); bad != nil {
				refused(bad)
			} else {
				row(r)
			}
		}
		if errors.Is(err, io.EOF) {
			return line, nil
		}
		if err != nil {
			return line, err
		}
	}
}

// cellOf writes the values of a type as a CSV of the same table has them.
func cellOf(t parquet.Type) func(parquet.Value) string {
	if l := t.LogicalType(); l != nil {
		switch l := l.Value.(type) {
		case *format.DateType:
			return func(v parquet.Value) string {
				return time.Unix(int64(v.Int32())*86400, 0).UTC().Format(time.DateOnly)
			}
		case *format.TimestampType:
			unit := int64(time.Microsecond)
			if l.Unit.Value != nil {
				unit = int64(l.Unit.Value.Duration())
			}
			per := int64(time.Second) / unit
			return func(v parquet.Value) string {
				n := v.Int64()
				return time.Unix(n/per, n%per*unit).UTC().Format(time.RFC3339Nano)
			}
		}
	}
	switch t.Kind() {
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return func(v parquet.Value) string { return string(v.ByteArray()) }
	case parquet.Float:
		return func(v parquet.Value) string { return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32) }
	case parquet.Double:
		return func(v parquet.Value) string { return strconv.FormatFloat(v.Double(), 'g', -1, 64) }
	}
	return parquet.Value.String
}
