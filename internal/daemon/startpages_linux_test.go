package daemon

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// resident is how much of files is in memory and mapped by this process, in kB.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	size, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return size
}

func TestPagesOfTheStartAreGivenBack(t *testing.T) {
	all, err := programPages()
	if err != nil || len(all) < 2 { // code and constants
		t.Fatalf("%v, %v", all, err)
	}
	for _, m := range all {
		if err := m.advise(unix.MADV_POPULATE_READ); err != nil {
			t.Skipf("a kernel older than Linux 5.14 reads no pages on demand: %v", err)
		}
	}
	whole := resident(t)
	if err := giveBackStartPages(); err != nil {
		t.Fatal(err)
	}
	if left := resident(t); left > whole/2 {
		t.Errorf("%d kB of %d kB are left", left, whole)
	}
}
