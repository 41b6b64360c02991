package store

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// encode writes what a column doc holds. It and the two below are the one place
// where documents go in and out of the database.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing a document: %w", err)
	}
	return b, nil
}

// decode reads a document, to be looked at. A field that this version does not
// know is left out.
func decode(doc []byte, v any) error {
	if err := json.Unmarshal(doc, v); err != nil {
		return fmt.Errorf("reading a document: %w", err)
	}
	return nil
}

// decodeWhole reads a document that will be written again: a field that this
// version does not know is an error, as it would be lost.
func decodeWhole(doc []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("reading a document to change it: %w", err)
	}
	return nil
}
