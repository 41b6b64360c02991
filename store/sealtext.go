package store

import (
	"encoding/base64"
	"fmt"
)

// SealText encrypts a text that a job has to carry, as credentials are; owner,
// such as the job's key, is bound to it. OpenText gives it back.
func (db *DB) SealText(text, owner string) (string, error) {
	b, err := db.seal([]byte(text), "text "+owner)
	if err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(b), nil
}

// OpenText returns the text that SealText sealed for owner.
func (db *DB) OpenText(sealed, owner string) (string, error) {
	b, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("store: sealed text: %w", err)
	}
	b, err = db.unseal(b, "text "+owner)
	if err != nil {
		return "", fmt.Errorf("store: sealed text: %w", err)
	}
	return string(b), nil
}
