package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"

	"github.com/spf13/pflag"

	"github.com/setopsco/setops/internal/registry"
)

// BucketConfig says where the registry keeps images instead of the data directory.
type BucketConfig struct {
	Name            string // empty: they are in the data directory
	Region          string
	Endpoint        string // URL; empty: Amazon's
	Prefix          string
	CredentialsFile string // empty: what the environment and the machine give
}

func (b *BucketConfig) flags(f *pflag.FlagSet) {
	f.StringVar(&b.Name, "registry-s3-bucket", "", "bucket of S3 that images are kept in, or of a server that speaks its protocol (default: none, they are in the data directory)")
	f.StringVar(&b.Region, "registry-s3-region", "", "region of that bucket, as eu-central-1 (default, with --registry-s3-endpoint: us-east-1)")
	f.StringVar(&b.Endpoint, "registry-s3-endpoint", "", "URL of the server that has the bucket, as https://minio.example.net:9000 (default: Amazon's of the region)")
	f.StringVar(&b.Prefix, "registry-s3-prefix", "", "what keys in the bucket begin with, where it has other things, too (default: none)")
	f.StringVar(&b.CredentialsFile, "registry-s3-credentials-file", "",
		"file with credentials, as ~/.aws/credentials (default: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of the pod or the machine)")
}

var (
	bucketShape = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixShape = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)
)

func (b *BucketConfig) check(r *refusals) {
	if b.Name == "" {
		r.where(b.Region+b.Endpoint+b.Prefix+b.CredentialsFile != "",
			"--registry-s3-region, --registry-s3-endpoint, --registry-s3-prefix and --registry-s3-credentials-file need --registry-s3-bucket")
		return
	}
	u, err := url.Parse(b.Endpoint)
	r.where(!bucketShape.MatchString(b.Name), "--registry-s3-bucket %q is no name of a bucket: 3 to 63 of a-z, 0-9, - and .", b.Name)
	r.where(b.Endpoint == "" && b.Region == "", "--registry-s3-bucket needs --registry-s3-region, as eu-central-1, or --registry-s3-endpoint, where it is not Amazon's")
	r.where(b.Endpoint != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != ""),
		"--registry-s3-endpoint %q is no URL of a server; write https://HOST or http://HOST:PORT", b.Endpoint)
	r.where(b.Prefix != "" && !prefixShape.MatchString(b.Prefix),
		"--registry-s3-prefix %q is not made of a-z, A-Z, 0-9, ., _ and -, with / in between", b.Prefix)
}

// read looks whether there are credentials where the operator says so. The registry reads them again.
func (b *BucketConfig) read() error {
	if b.CredentialsFile == "" {
		return nil
	}
	_, err := readSecret("--registry-s3-credentials-file", b.CredentialsFile)
	return err
}

func (b *BucketConfig) s3() *registry.S3 {
	if b.Name == "" {
		return nil
	}
	return &registry.S3{Bucket: b.Name, Region: b.Region, Endpoint: b.Endpoint, Prefix: b.Prefix, CredentialsFile: b.CredentialsFile}
}

// What is installed in the database of where images are: what they are marked with, and the kinds of places where they were.
const (
	imagesMark   = "images"
	imagesOnDisk = "images-on-disk"
	imagesOnS3   = "images-on-s3"
)

// openImages opens the registry, so that a server that looks for images in another place than where they are does not start with none.
func (c *core) openImages(ctx context.Context, config registry.Config) (err error) {
	kind := imagesOnDisk
	if config.S3 = c.Config.Bucket.s3(); config.S3 != nil {
		config.Dir, kind = "", imagesOnS3
	}
	if config.Mark, err = c.store.Install(ctx, imagesMark, newID()); err != nil {
		return err
	}
	if config.Marked, err = c.hadImages(ctx, kind); err != nil {
		return err
	}
	if c.registry, err = registry.New(ctx, config); err != nil {
		return c.explainPlace(err)
	}
	c.onClose(c.registry.Close)
	_, err = c.store.Install(ctx, kind, "yes")
	return err
}

// hadImages reports whether there were images where a place of this kind that has none can only be the wrong one. A data directory that
// lost them is not: there is no other.
func (c *core) hadImages(ctx context.Context, kind string) (bool, error) {
	installed, err := c.store.Installation(ctx)
	if err != nil || kind == imagesOnDisk {
		return installed[imagesOnS3] != "", err
	}
	// Servers that knew no buckets noted nothing.
	_, local := os.Stat(c.dir.file("registry", "docker"))
	return installed[imagesOnS3] != "" || installed[imagesOnDisk] != "" || local == nil, nil
}

// explainPlace says what to do about a place that does not have the images.
func (c *core) explainPlace(err error) error {
	place, from, to := c.dir.file("registry"), "s3://BUCKET/PREFIX", c.dir.file("registry")
	if s3 := c.Config.Bucket.s3(); s3 != nil {
		place, from, to = s3.String(), c.dir.file("registry"), "s3://"+s3.Bucket+"/"+s3.Prefix
	}
	switch {
	case errors.Is(err, registry.ErrElsewhere):
		return fmt.Errorf("open registry in %s: %w. Name that place with --registry-s3-bucket, or leave it out where it was the data directory; "+
			"or bring the images along while no server runs, all of them, as by `aws s3 sync %s %s`", place, err, from, to)
	case errors.Is(err, registry.ErrAnothers):
		return fmt.Errorf("open registry in %s: %w, and each would remove those of the other; give this one its own bucket or --registry-s3-prefix", place, err)
	}
	return err
}
