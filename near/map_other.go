//go:build !unix

package near

import "os"

// mapFile reads a file, as this system's way to map it is not known here.
func mapFile(name string) ([]byte, func() error, error) { return readFile(name) }

// lockFile only opens the file: two processes are not kept apart here.
func lockFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
}
