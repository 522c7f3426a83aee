package platform_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/platform"
)

// source has one manifest and one configuration.
type source struct{ manifest, config string }

func (s source) Manifest(context.Context, string, string) (body []byte, mediaType string, err error) {
	return []byte(s.manifest), "", nil
}

func (s source) Blob(context.Context, string, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(s.config)), nil
}

func TestAnImageSaysForWhatItIsMade(t *testing.T) {
	for _, test := range []struct {
		source
		want string
	}{
		{source{manifest: `{"config":{"digest":"sha256:1"}}`, config: `{"os":"linux","architecture":"arm64"}`}, "linux/arm64"},
		{source{manifest: `{"manifests":[
			{"platform":{"os":"linux","architecture":"arm","variant":"v7"}}, {"platform":{"os":"linux","architecture":"amd64"}},
			{"platform":{"os":"unknown","architecture":"unknown"}}]}`}, "linux/amd64, linux/arm/v7"},
		{source{manifest: `{"manifests":[]}`}, "no platform at all"},
	} {
		offered, err := platform.Offered(t.Context(), test.source, engine.Image{})
		if got := platform.Names(offered); err != nil || got != test.want {
			t.Errorf("%s: %s, %v", test.manifest, got, err)
		}
	}
}

func TestAnImageThatIsNoneIsUnusable(t *testing.T) {
	for _, s := range []source{{manifest: "<html>"}, {manifest: `{"config":{"digest":"sha256:1"}}`, config: "no"}} {
		_, err := platform.Offered(t.Context(), s, engine.Image{})
		var unusable *platform.Unusable
		if !errors.As(err, &unusable) || unusable.Reason == "" {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestWhatAPlatformDoesNotSayFits(t *testing.T) {
	here := platform.Platform{OS: "linux", Architecture: "amd64"}
	for p, fits := range map[platform.Platform]bool{
		{}: true, {OS: "linux"}: true, {OS: "linux", Architecture: "amd64"}: true, {OS: "windows", Architecture: "amd64"}: false,
		{OS: "linux", Architecture: "arm64"}: false,
	} {
		if p.Fits(here) != fits {
			t.Errorf("%s: %t", p, !fits)
		}
	}
}

// shelf has manifests and configurations by their digests.
type shelf map[string]string

func (s shelf) Manifest(_ context.Context, _, digest string) (body []byte, mediaType string, err error) {
	return []byte(s[digest]), "", nil
}

func (s shelf) Blob(_ context.Context, _, digest string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(s[digest])), nil
}

func TestWhatAContainerRunsIsFoundAsWithDocker(t *testing.T) {
	here := platform.Platform{OS: "linux", Architecture: "amd64"}
	images := shelf{
		"index":  `{"manifests":[{"digest":"other","platform":{"os":"linux","architecture":"arm64"}},{"digest":"one","platform":{"os":"linux","architecture":"amd64"}}]}`,
		"one":    `{"config":{"digest":"of one"}}`,
		"of one": `{"config":{"Entrypoint":["/app"],"Cmd":["serve","it"]}}`,
		"bare":   `{"config":{"digest":"of bare"}}`, "of bare": `{}`,
		"arm": `{"manifests":[{"digest":"other","platform":{"os":"linux","architecture":"arm64"}}]}`,
	}
	for _, test := range []struct {
		digest              string
		entrypoint, command []string
		want                string
	}{
		{"index", nil, nil, "/app serve it"},
		{"one", nil, []string{"migrate"}, "/app migrate"},
		{"one", []string{"sh"}, nil, "sh"},
		{"one", []string{"sh", "-c"}, []string{"true"}, "sh -c true"},
		{"bare", nil, []string{"ls"}, "ls"},
	} {
		c := engine.Container{Image: engine.Image{Digest: test.digest}, Entrypoint: test.entrypoint, Command: test.command}
		got, err := platform.Program(t.Context(), images, c, here)
		if words := strings.Join(got, " "); err != nil || words != test.want {
			t.Errorf("%+v: %s, %v", test, words, err)
		}
	}
	for _, digest := range []string{"bare", "arm"} {
		_, err := platform.Program(t.Context(), images, engine.Container{Image: engine.Image{Digest: digest}}, here)
		var unusable *platform.Unusable
		if !errors.As(err, &unusable) {
			t.Errorf("%s: %v", digest, err)
		}
	}
}
