package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/credentials"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	s3 "github.com/distribution/distribution/v3/registry/storage/driver/s3-aws"
)

// S3 is a bucket to keep images in.
type S3 struct {
	Bucket string
	// Region is the bucket's. Default where Endpoint is set: us-east-1, which most servers take.
	Region string
	// Endpoint is the URL of a server that speaks the protocol. Default: Amazon's in Region.
	Endpoint string
	// Prefix is what all keys begin with, as a directory. Default: none.
	Prefix string
	// CredentialsFile is in the format of ~/.aws/credentials, of which [default] is used. Default: what Amazon's tools would
	// take, which is the environment, a role of the pod's service account, or that of the machine.
	CredentialsFile string
}

func (s S3) String() string {
	text := "bucket " + s.Bucket
	if s.Prefix != "" {
		text += ", below " + s.Prefix
	}
	if s.Endpoint != "" {
		return text + ", at " + s.Endpoint
	}
	return text + ", region " + s.Region
}

// Sizes of parts. An upload keeps one in memory until it is whole, and can have 10,000.
const (
	uploadPart   = 8 << 20
	copyPart     = 32 << 20
	copiesAtOnce = 100
)

func (s S3) open(ctx context.Context) (*s3.Driver, error) {
	p := s3.DriverParameters{
		Bucket: s.Bucket, Region: s.Region, RegionEndpoint: s.Endpoint, RootDirectory: "/" + s.Prefix,
		// Servers other than Amazon's seldom have a name for each bucket.
		ForcePathStyle: s.Endpoint != "",
		Secure:         true, V4Auth: true, StorageClass: "NONE", ObjectACL: "private",
		ChunkSize: uploadPart, MultipartCopyChunkSize: copyPart, MultipartCopyThresholdSize: copyPart, MultipartCopyMaxConcurrency: copiesAtOnce,
	}
	if p.Region == "" && s.Endpoint != "" {
		p.Region = "us-east-1"
	}
	if s.CredentialsFile != "" {
		found, err := credentials.NewSharedCredentials(s.CredentialsFile, "default").Get()
		if err != nil {
			return nil, fmt.Errorf("read credentials: %s has no aws_access_key_id and aws_secret_access_key below [default]: %w", s.CredentialsFile, err)
		}
		p.AccessKey, p.SecretKey, p.SessionToken = found.AccessKeyID, found.SecretAccessKey, found.SessionToken
	}
	return s3.New(ctx, p)
}

// proofLimit is how long a bucket has to prove that it can be used.
const proofLimit = 30 * time.Second

// openS3 writes, lists, reads and deletes an object, so that what is not allowed shows at the start and not in the first push.
func openS3(ctx context.Context, s S3) (*bucket, error) {
	driver, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, proofLimit)
	defer cancel()
	dir := "/proof-" + rand.Text()
	file := dir + "/file"
	b := &bucket{driver}
	for _, step := range []struct {
		what string
		try  func() error
	}{
		{"write", func() error { return b.PutContent(ctx, file, []byte(dir)) }},
		{"list", func() error { _, err := b.stat(ctx, file); return err }},
		{"read", func() error { _, err := b.GetContent(ctx, file); return err }},
		{"delete", func() error { return b.Delete(ctx, dir) }},
	} {
		if err := step.try(); err != nil {
			return nil, fmt.Errorf("%s an object: %w", step.what, explain(err))
		}
	}
	return b, nil
}

// advice says, by S3's code of an error, what to look at.
var advice = map[string]string{
	"NoSuchBucket":                 "there is no such bucket; make it, or check its name, the region and the endpoint",
	"AccessDenied":                 "the credentials are known, but may not do this; allow s3:GetObject, PutObject, DeleteObject, ListBucket, ListBucketMultipartUploads, ListMultipartUploadParts and AbortMultipartUpload on the bucket",
	"InvalidAccessKeyId":           "the access key is not known there; check the credentials and the endpoint",
	"SignatureDoesNotMatch":        "the secret key is not the one of the access key; check the credentials",
	"ExpiredToken":                 "the credentials are over; get new ones",
	"NoCredentialProviders":        "there are no credentials; name a file with them, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod or machine a role",
	"AuthorizationHeaderMalformed": "the bucket is in another region; check the region",
	"BucketRegionError":            "the bucket is in another region; check the region",
	"PermanentRedirect":            "the bucket is in another region; check the region",
	"MissingRegion":                "there is no region; name the one of the bucket",
	"RequestTimeTooSkewed":         "the clocks of this machine and of S3 differ; set this one's",
	"RequestError":                 "nobody answers there; check the endpoint, the region and the network",
}

// explain puts what to do before what S3 said.
func explain(err error) error {
	var driver storagedriver.Error
	var said awserr.Error
	if errors.As(err, &driver) {
		err = driver.Detail
	}
	if !errors.As(err, &said) {
		return err
	}
	if do, known := advice[said.Code()]; known {
		return fmt.Errorf("%s (%s: %s)", do, said.Code(), said.Message())
	}
	return err
}
