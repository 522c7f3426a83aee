package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/gc"
)

func TestACleanUpIsShown(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	r := gc.Report{
		Commits:  []gc.Commit{{Stage: "demo/shop/prod", ID: "c1", CreatedAt: now.AddDate(0, 0, -91)}},
		Releases: []gc.Release{{Stage: "demo/shop/prod", App: "web", ID: 3, CreatedAt: now.Add(-47 * time.Hour)}},
		Images: []gc.Image{
			{Repository: "demo/shop/prod/web", Digest: "sha256:1", Tags: []string{"latest", "v1"}, UsedAt: now.Add(-119 * time.Minute)},
			{Repository: "demo/shop/prod/worker", Digest: "sha256:2", Tags: []string{}, UsedAt: now.Add(-49 * time.Hour)},
		},
		Bytes: 12_345_678,
	}
	for want, dryRun := range map[string]bool{
		`REPOSITORY              DIGEST     TAGS         AGE
demo/shop/prod/web      sha256:1   latest, v1   119 min
demo/shop/prod/worker   sha256:2   -            2 d

Removed commit c1 of demo/shop/prod, 91 d old.
Removed release 3 of demo/shop/prod/web, 47 h old.
Freed 12.3 MB.
`: false,
		"Would remove commit c1 of demo/shop/prod, 91 d old.\nWould remove release 3 of demo/shop/prod/web, 47 h old.\nWould free 12.3 MB.\n": true,
	} {
		var b strings.Builder
		r.DryRun = dryRun
		if err := showCleanUp(&b, r, now); err != nil || !strings.HasSuffix(b.String(), want) {
			t.Errorf("%v\n%s", err, b.String())
		}
	}
}

func TestSizesAreShort(t *testing.T) {
	for bytes, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 1_500_000_000: "1.5 GB", 2e12: "2.0 TB", 5e15: "5000.0 TB",
	} {
		if got := sizeOf(bytes); got != want {
			t.Errorf("%d is %s, want %s", bytes, got, want)
		}
	}
}
