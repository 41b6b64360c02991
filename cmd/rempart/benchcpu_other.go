//go:build !linux

package main

import (
	"errors"
	"time"
)

func processorTime() (time.Duration, error) {
	return 0, errors.New("this system does not tell what a process used of the processors")
}
