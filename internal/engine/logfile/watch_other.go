//go:build !linux

package logfile

import "errors"

func (w *watcher) notify(string) error { return errors.ErrUnsupported }
