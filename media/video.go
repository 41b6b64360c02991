package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart/pdq"
	"rempart/provenance"
	"rempart/vpdq"
)

// ErrNotVideo is wrapped when there is no video in the file, or none of a kind
// that is read.
var ErrNotVideo = errors.New("not a video")

// ErrTooLong is wrapped when a video has more frames or seconds than allowed.
var ErrTooLong = errors.New("the video is too long")

// VideoOptions say which frames of a video are wanted, and bound what it may
// cost. A limit that is zero is that of [DefaultVideo].
type VideoOptions struct {
	// Seconds between two frames, as vpdq.Mod counts them in whole frames;
	// 0 is every frame. Where frames are left out, the decoder does not smooth the
	// edges of blocks in frames that no other is made from: that saves more than
	// hashing costs, and those among them that are wanted have a PDQ that is 0 to
	// 4 bits (in the median 0) from what it would be with all frames.
	Seconds float64

	// Width and Height to which frames are scaled, without keeping their
	// ratio; 0 is as they are, which is what hashes are computed from.
	Width, Height int

	// Most is how many frames are fingerprinted at most: where more come, every
	// second one is left out, of those that remain again every second one, and so
	// on; 0 is all. It bounds what is kept, not what is decoded: see Frames.
	Most int

	Bytes    int64         // length of the file
	Pixels   int64         // of one frame, as stored and as wanted
	Frames   int           // that come out
	Duration time.Duration // as the file declares it, or as its frames last
	CPU      time.Duration // of the decoder; the time by the clock may be twice as long
}

// DefaultVideo is 512 MiB, frames of 36 megapixels (8K), 100,000 of them, four
// hours, and ten minutes of processor time.
var DefaultVideo = VideoOptions{
	Bytes:    512 << 20,
	Pixels:   36e6,
	Frames:   100_000,
	Duration: 4 * time.Hour,
	CPU:      10 * time.Minute,
}

func (o VideoOptions) filled() VideoOptions {
	d := DefaultVideo
	if o.Bytes == 0 {
		o.Bytes = d.Bytes
	}
	if o.Pixels == 0 {
		o.Pixels = d.Pixels
	}
	if o.Frames == 0 {
		o.Frames = d.Frames
	}
	if o.Duration == 0 {
		o.Duration = d.Duration
	}
	if o.CPU == 0 {
		o.CPU = d.CPU
	}
	return o
}

// VideoInfo is what the header of a video file says of its first video stream.
type VideoInfo struct {
	SHA256        [32]byte          // of all the bytes, as they came
	Codec         string            // ffmpeg's name, such as "h264"
	Width, Height int               // pixels as stored: rotation is not applied
	Rate          float64           // mean frames a second, above 0
	Duration      float64           // seconds; 0 if the file does not say
	Provenance    []provenance.Mark // what the file says of how it was made: empty, never nil

	format string // ffmpeg's name of how pixels are stored
	full   bool   // whether their brightness goes from 0 to 255, not from 16 to 235
}

// planar are the formats that begin with a plane of brightness, a byte a pixel.
var planar = []string{"yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p"}

// widened gives to each brightness of 16 to 235 its own of 0 to 255.
var widened = func() (table [256]byte) {
	for y := range table {
		table[y] = byte(min(max(((y-16)*255+109)/219, 0), 255))
	}
	return table
}()

// A Frame is one picture of a video.
type Frame struct {
	Info          *VideoInfo
	Number        int     // in the order they are shown, from 0
	Timestamp     float64 // seconds: Number divided by Info.Rate
	Width, Height int
	RGB           []byte // rows of 3 bytes a pixel; changed by the next step of the loop

	y []byte // in the place of RGB: brightness, a byte a pixel
}

// Video reads a video from r, to its end, and ranges over its frames. It is
// decoded by the system's ffmpeg, confined, one frame at a time: the memory it
// takes does not grow with their number. The file itself is held in memory.
//
// The last step has the error, if there was one; it wraps ErrTooManyBytes,
// ErrNotVideo, ErrTooManyPixels, ErrTooLong, ErrTooCostly, ErrDamaged, or
// ErrUnsupported with ErrMissing, or else comes from ctx or r. A file that is
// cut short may give all the frames it still has, and no error. The loop may
// be left at any time.
func Video(ctx context.Context, r io.Reader, opt VideoOptions) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		left := errors.New("the loop was left")
		_, err := video(ctx, r, opt.filled(), false, func(f Frame) error {
			if !yield(f, nil) {
				return left
			}
			return nil
		})
		if err != nil && !errors.Is(err, left) {
			yield(Frame{}, err)
		}
	}
}

// video calls each with every frame that opt wants, in colour or grey, until
// it fails.
func video(ctx context.Context, r io.Reader, opt VideoOptions, grey bool, each func(Frame) error) (*VideoInfo, error) {
	sum := sha256.New()
	in, err := seal(&reader{ctx: ctx, in: io.TeeReader(r, sum)}, opt.Bytes)
	if err != nil {
		return nil, err
	}
	defer in.close()
	info, err := examine(ctx, in)
	if err != nil {
		return nil, err
	}
	sum.Sum(info.SHA256[:0])
	info.Provenance = in.marks()
	width, height := info.Width, info.Height
	if opt.Width > 0 && opt.Height > 0 {
		width, height = opt.Width, opt.Height
	}
	stored, out := int64(info.Width)*int64(info.Height), int64(width)*int64(height)
	if max(stored, out) > opt.Pixels {
		return info, fmt.Errorf("media: %w: %d x %d a frame, the limit is %d", ErrTooManyPixels, info.Width, info.Height, opt.Pixels)
	}
	if info.Duration > opt.Duration.Seconds() {
		return info, fmt.Errorf("media: %w: %.0f s, the limit is %v", ErrTooLong, info.Duration, opt.Duration)
	}
	release, err := reserve(ctx, in.size+stored*videoCost+3*out+pdq.Memory(width, height))
	if err != nil {
		return info, err
	}
	defer release()

	mod := vpdq.Mod(opt.Seconds, info.Rate)
	frame := Frame{Info: info, Width: width, Height: height}
	// The plane as it is stored spares the program a conversion.
	plane := grey && out == stored && width == info.Width && slices.Contains(planar, info.format)
	format, buffer := "rgb24", make([]byte, 3*out)
	if grey {
		format, buffer = "gray", buffer[:out]
		frame.y = buffer
	} else {
		frame.RGB = buffer
	}
	frames := func(r io.Reader) error {
		for n := 0; ; n++ {
			if _, err := io.ReadFull(r, buffer); err == io.EOF && n > 0 {
				return nil
			} else if err != nil {
				return err
			}
			if plane && !info.full {
				for i, y := range buffer {
					buffer[i] = widened[y]
				}
			}
			frame.Number = n * mod
			frame.Timestamp = float64(frame.Number) / info.Rate
			if n >= opt.Frames || frame.Timestamp > opt.Duration.Seconds() {
				return fmt.Errorf("%w: the limits are %d frames and %v", ErrTooLong, opt.Frames, opt.Duration)
			}
			if err := each(frame); err != nil {
				return err
			}
		}
	}
	b := bound{
		wall:   2*opt.CPU + 10*time.Second,
		cpu:    int(math.Ceil(opt.CPU.Seconds())),
		memory: 2<<30 + stored*videoCost,
		output: math.MaxInt64,
	}
	filter := fmt.Sprintf("scale=%d:%d:flags=area", width, height)
	if plane {
		filter += ",format=" + info.format + ",extractplanes=y"
	}
	if mod > 1 {
		filter = fmt.Sprintf(`select=not(mod(n\,%d)),`, mod) + filter
	}
	before := []string{"-nostdin", "-threads", "1", "-noautorotate"}
	if mod > 1 {
		before = append(before, "-skip_loop_filter", "noref") // see VideoOptions.Seconds
	}
	args := append(sources(before...),
		"-map", "0:v:0", "-vf", filter, "-filter_threads", "1", "-fps_mode", "passthrough",
		"-pix_fmt", format, "-f", "rawvideo", "-")
	if err := confined(ctx, in, b, frames, "ffmpeg", args...); err != nil {
		return info, fmt.Errorf("media: decoding the video: %w", err)
	}
	return info, nil
}

// videoCost is an estimate of the bytes that a decoder holds for each pixel of
// a frame: 16 frames to refer to, 1.5 bytes each, and some.
const videoCost = 32

// containers are the file formats that ffmpeg may take the input for: those of
// whole videos, none that name other files.
const containers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,ogg,asf,h264,hevc,m4v,ivf,dv,mxf"

// sources returns the arguments that ffmpeg and ffprobe share.
func sources(before ...string) []string {
	args := append([]string{"-v", "error"}, before...)
	return append(args, "-protocol_whitelist", "file", "-format_whitelist", containers, "-i", "file:/proc/self/fd/0")
}

// examine reads a video's header.
func examine(ctx context.Context, in *sealed) (*VideoInfo, error) {
	var out bytes.Buffer
	read := func(r io.Reader) error {
		_, err := out.ReadFrom(r)
		return err
	}
	args := append([]string{"-select_streams", "v:0", "-of", "json", "-show_entries",
		"stream=codec_name,pix_fmt,color_range,width,height,avg_frame_rate,r_frame_rate,duration:format=duration"}, sources("-threads", "1")...)
	b := bound{wall: 20 * time.Second, cpu: 10, memory: 2 << 30, output: 64 << 10}
	if err := confined(ctx, in, b, read, "ffprobe", args...); errors.Is(err, ErrDamaged) {
		return nil, fmt.Errorf("media: %w: %v", ErrNotVideo, err) // not damaged: of no known kind
	} else if err != nil {
		return nil, fmt.Errorf("media: reading the video's header: %w", err)
	}
	var said struct {
		Streams []struct {
			Codec    string `json:"codec_name"`
			Format   string `json:"pix_fmt"`
			Range    string `json:"color_range"`
			Width    int    `json:"width"`
			Height   int    `json:"height"`
			Mean     string `json:"avg_frame_rate"`
			Base     string `json:"r_frame_rate"`
			Duration string `json:"duration"`
		} `json:"streams"`
		Format struct {
			Duration string `json:"duration"`
		} `json:"format"`
	}
	if err := json.Unmarshal(out.Bytes(), &said); err != nil {
		return nil, fmt.Errorf("media: reading the video's header: ffprobe: %w", err)
	}
	if len(said.Streams) == 0 {
		return nil, fmt.Errorf("media: %w: no video stream in it", ErrNotVideo)
	}
	s := said.Streams[0]
	info := &VideoInfo{
		Codec: s.Codec, Width: s.Width, Height: s.Height,
		Rate: ratio(s.Mean), Duration: seconds(s.Duration),
		format: s.Format, full: s.Range == "pc" || strings.HasPrefix(s.Format, "yuvj"),
	}
	if info.Rate == 0 {
		info.Rate = ratio(s.Base)
	}
	if info.Duration == 0 {
		info.Duration = seconds(said.Format.Duration)
	}
	if info.Width <= 0 || info.Height <= 0 || info.Rate == 0 {
		return nil, fmt.Errorf("media: %w: %d x %d pixels, %g frames a second", ErrNotVideo, info.Width, info.Height, info.Rate)
	}
	return info, nil
}

// IsVideo says whether a file that starts so (64 bytes are enough) is for
// [Video] rather than for [Decode].
func IsVideo(start []byte) bool {
	for _, f := range formats {
		if match(start, f.magic) {
			return false
		}
	}
	for _, s := range strangers {
		if s.name == "video" && match(start, s.magic) {
			return true
		}
	}
	return false
}

// Known tells whether a file that starts so is of a kind that this package has a
// name for, whether or not it can be read.
func Known(start []byte) bool {
	for _, f := range formats {
		if match(start, f.magic) {
			return true
		}
	}
	for _, s := range strangers {
		if match(start, s.magic) {
			return true
		}
	}
	return false
}

// ratio reads "30000/1001"; it is 0 if that is no rate of frames.
func ratio(s string) float64 {
	above, below, _ := strings.Cut(s, "/")
	a, err1 := strconv.ParseUint(above, 10, 32)
	b, err2 := strconv.ParseUint(below, 10, 32)
	if err1 != nil || err2 != nil || b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// seconds reads a duration; it is 0 if that is none.
func seconds(s string) float64 {
	d, err := strconv.ParseFloat(s, 64)
	if err != nil || !(d > 0) {
		return 0
	}
	return d
}
