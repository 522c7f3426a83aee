package logfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// segment is one file of a log.
type segment struct {
	name   string
	number int
	path   string
	size   int64
	from   int64     // where to begin to read
	until  time.Time // nothing behind this is wanted; zero: no limit
	at     time.Time // when it was last written to
}

func segmentPath(dir, name string, number int) string {
	return filepath.Join(dir, name+"."+strconv.Itoa(number)+".log")
}

// parseSegment takes the name of a file apart.
func parseSegment(file string) (name string, number int, ok bool) {
	stem, found := strings.CutSuffix(file, ".log")
	if !found {
		return "", 0, false
	}
	dot := strings.LastIndexByte(stem, '.')
	if dot < 1 {
		return "", 0, false
	}
	number, err := strconv.Atoi(stem[dot+1:])
	return stem[:dot], number, err == nil && number > 0
}

// segments lists the files of one log, or of all logs where name is empty, by name and number. A directory that is not
// there has none.
func segments(dir, name string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	var found []segment
	for _, e := range entries {
		n, number, ok := parseSegment(e.Name())
		if !ok || (name != "" && n != name) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // swept away meanwhile
		}
		found = append(found, segment{
			name: n, number: number, path: filepath.Join(dir, e.Name()), size: info.Size(), at: info.ModTime(),
		})
	}
	slices.SortFunc(found, func(a, b segment) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.number, b.number))
	})
	return found, nil
}

// compareSegments orders names of files by log and number.
func compareSegments(a, b string) int {
	nameA, numberA, _ := parseSegment(a)
	nameB, numberB, _ := parseSegment(b)
	return cmp.Or(strings.Compare(nameA, nameB), cmp.Compare(numberA, numberB))
}

// byName splits what segments gave into one list per log.
func byName(all []segment) [][]segment {
	var logs [][]segment
	for i, s := range all {
		if i == 0 || s.name != all[i-1].name {
			logs = append(logs, nil)
		}
		logs[len(logs)-1] = append(logs[len(logs)-1], s)
	}
	return logs
}
