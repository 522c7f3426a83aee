package daemon

import (
	"os"
	"strings"
	"testing"
)

func TestABucketIsNamedWholeOrNotAtAll(t *testing.T) {
	for flag, spoil := range map[string][]func(b *BucketConfig){
		"--registry-s3-bucket \"": {
			func(b *BucketConfig) { b.Name = "Images" }, func(b *BucketConfig) { b.Name = "im" },
			func(b *BucketConfig) { b.Name = "s3://images" }, func(b *BucketConfig) { b.Name = strings.Repeat("a", 64) },
		},
		"--registry-s3-endpoint \"": {
			func(b *BucketConfig) { b.Endpoint = "minio:9000" }, func(b *BucketConfig) { b.Endpoint = "https://" },
			func(b *BucketConfig) { b.Endpoint = "https://minio.example.net/images" },
		},
		"--registry-s3-prefix \"": {
			func(b *BucketConfig) { b.Prefix = "/setops" }, func(b *BucketConfig) { b.Prefix = "setops/" }, func(b *BucketConfig) { b.Prefix = "a b" },
		},
		"need --registry-s3-bucket":  {func(b *BucketConfig) { *b = BucketConfig{Prefix: "setops"} }},
		"needs --registry-s3-region": {func(b *BucketConfig) { b.Region = "" }},
	} {
		for _, change := range spoil {
			c := valid()
			c.Bucket = BucketConfig{Name: "images", Region: "eu-central-1", Prefix: "setops/one"}
			if err := c.check(); err != nil {
				t.Fatal(err)
			}
			change(&c.Bucket)
			if err := c.check(); err == nil || !strings.Contains(err.Error(), flag) {
				t.Errorf("%+v: %v", c.Bucket, err)
			}
		}
	}
}

func TestAFileWithCredentialsIsItsOwnersAlone(t *testing.T) {
	for mode, refused := range map[os.FileMode]bool{0o600: false, 0o644: true} {
		b := BucketConfig{Name: "images", CredentialsFile: write(t, "[default]\n", mode)}
		if err := b.read(); (err != nil) != refused {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}
