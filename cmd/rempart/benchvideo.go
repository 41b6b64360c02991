package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"rempart/media"
)

// benchVideoCmd measures videos to fingerprints, in processor time: of this
// process and of the decoders it starts.
type benchVideoCmd struct {
	benchFlags
	Files []string `name:"file" help:"Videos of your own instead of a drawn minute of 720p; repeat it for more."`
}

// Run measures and prints.
func (c *benchVideoCmd) Run(ctx context.Context, s streams) error {
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			return hinted{fmt.Errorf("bench: videos cannot be measured: %s is not installed", program), "on Debian: apt-get install ffmpeg"}
		}
	}
	if _, err := processorTime(); err != nil {
		return fmt.Errorf("bench: videos cannot be measured: %w", err)
	}
	if err := c.begin(s, "video"); err != nil {
		return err
	}
	names, files := make([]string, len(c.Files)), c.Files
	for i, file := range files {
		names[i] = filepath.Base(file)
	}
	if len(files) == 0 {
		dir, err := os.MkdirTemp("", "rempart-bench")
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		defer os.RemoveAll(dir) // a temporary folder
		progress(s, "drawing a minute of 720p")
		names, files = []string{"a minute of 720p"}, []string{filepath.Join(dir, "minute.mp4")}
		if err := drawMinute(ctx, files[0]); err != nil {
			return err
		}
	}
	for i, file := range files {
		progress(s, "%s", names[i])
		f, err := c.video(ctx, names[i], file)
		if err != nil {
			return err
		}
		if err := c.say(s, f); err != nil {
			return err
		}
	}
	return nil
}

// drawMinute makes a video: moving patterns with grain, so that it takes as
// much to decode as a film does.
func drawMinute(ctx context.Context, file string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	const source = "testsrc2=size=1280x720:rate=30:duration=60,noise=alls=6:allf=t"
	var failed error
	for _, codec := range []string{"libx264", "mpeg4"} { // whichever this ffmpeg can write
		cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source,
			"-c:v", codec, "-b:v", "3M", "-preset", "veryfast", "-pix_fmt", "yuv420p", file)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return nil
		}
		failed = errors.Join(failed, fmt.Errorf("%s: %w: %s", codec, err, out))
	}
	return fmt.Errorf("bench: drawing a video: %w", failed)
}

// video measures one file, in turn with decoding alone, so that what else the
// machine does weighs on both.
func (c *benchVideoCmd) video(ctx context.Context, name, file string) ([]figure, error) {
	var ours, alone, ratios []time.Duration
	frames := 0
	for i := range c.Runs + 1 {
		decode := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", file, "-map", "0:v:0", "-f", "null", "-")
		if err := decode.Run(); err != nil {
			return nil, fmt.Errorf("bench: decoding %s with ffmpeg: %w", name, err)
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		runtime.GC()
		before, _ := processorTime()
		v, err := media.FingerprintVideo(ctx, f, media.VideoOptions{Seconds: 1})
		after, _ := processorTime()
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("bench: %s: %w", name, err)
		}
		if i == 0 {
			continue // to warm
		}
		frames = len(v.Features)
		ours = append(ours, after-before)
		alone = append(alone, decode.ProcessState.UserTime()+decode.ProcessState.SystemTime())
		ratios = append(ratios, time.Duration(float64(time.Second)*float64(after-before)/float64(decode.ProcessState.UserTime()+decode.ProcessState.SystemTime())))
	}
	d, r := spreadOf(alone, time.Second), spreadOf(ratios, time.Second)
	f := spreadOf(ours, time.Second).figure(fmt.Sprintf("%s to PDQ once a second, processor time, %d frames", name, frames), "s")
	beside := f.goal(1.05 * d.median).beside(peer{name: "ffmpeg decoding alone, one thread", value: d.median})
	times := r.figure(name+": times decoding alone, run by run", "×").goal(1.05).
		beside(peer{"vpdq in C++", vpdqOverDecoding, publishedWhere})
	return []figure{beside, times}, nil
}
