/* The little of libvpx that Visavis uses, behind plain functions: configuration structures differ from version to version of
 * libvpx, so their layout is known to this C file alone, which is compiled against the installed headers.
 * Every function is safe to call with the arguments its comment names; the caller (src/codec/ffi.rs) checks the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

typedef struct vv_encoder {
    vpx_codec_ctx_t codec;
    vpx_codec_enc_cfg_t config;
} vv_encoder;

typedef struct vv_decoder {
    vpx_codec_ctx_t codec;
} vv_decoder;

static void explain(char *text, size_t room, const char *what, vpx_codec_ctx_t *codec) {
    const char *detail = codec ? vpx_codec_error_detail(codec) : NULL;
    const char *error = codec ? vpx_codec_error(codec) : NULL;
    snprintf(text, room, "%s: %s%s%s", what, error ? error : "unknown", detail ? ", " : "", detail ? detail : "");
}

/* Refusing one of these makes the pictures dearer, not wrong. */
static void control_vp8(vpx_codec_ctx_t *codec, unsigned threads) {
    vpx_codec_control(codec, VP8E_SET_NOISE_SENSITIVITY, 0);
    vpx_codec_control(codec, VP8E_SET_ENABLEAUTOALTREF, 0);
    vpx_codec_control(codec, VP8E_SET_SCREEN_CONTENT_MODE, 0);
    vpx_codec_control(codec, VP8E_SET_TOKEN_PARTITIONS, threads > 1 ? VP8_TWO_TOKENPARTITION : VP8_ONE_TOKENPARTITION);
}

static void control_vp9(vpx_codec_ctx_t *codec, unsigned threads) {
    vpx_codec_control(codec, VP9E_SET_NOISE_SENSITIVITY, 0);
    /* 3: refreshes a part of the picture at better quality each time, which is how realtime VP9 comes to be sharp. */
    vpx_codec_control(codec, VP9E_SET_AQ_MODE, 3);
    vpx_codec_control(codec, VP9E_SET_ROW_MT, 0);
    /* The logarithm of their number: one for each thread. */
    vpx_codec_control(codec, VP9E_SET_TILE_COLUMNS, threads > 1 ? 1 : 0);
    /* Pictures are decoded in an unbroken row, so each may build upon the statistics of the one before. */
    vpx_codec_control(codec, VP9E_SET_FRAME_PARALLEL_DECODING, 0);
    vpx_codec_control(codec, VP9E_SET_TUNE_CONTENT, VP9E_CONTENT_DEFAULT);
}

/* A realtime encoder; time stamps are in microseconds. NULL and a sentence in `why` when libvpx refuses. */
vv_encoder *vv_encoder_new(int vp9, unsigned width, unsigned height, unsigned kbps, unsigned threads, int speed, unsigned key_percent,
                           char *why, size_t room) {
    vv_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder) {
        snprintf(why, room, "out of memory");
        return NULL;
    }
    vpx_codec_iface_t *interface = vp9 ? vpx_codec_vp9_cx() : vpx_codec_vp8_cx();
    vpx_codec_enc_cfg_t *config = &encoder->config;
    if (vpx_codec_enc_config_default(interface, config, 0) != VPX_CODEC_OK) {
        snprintf(why, room, "libvpx has no default configuration for %s", vp9 ? "VP9" : "VP8");
        free(encoder);
        return NULL;
    }
    config->g_w = width;
    config->g_h = height;
    config->g_threads = threads;
    config->g_timebase.num = 1;
    config->g_timebase.den = 1000000;
    config->g_lag_in_frames = 0;
    config->g_pass = VPX_RC_ONE_PASS;
    /* It is about decoding over gaps, which is never done here. */
    config->g_error_resilient = vp9 ? 0 : VPX_ERROR_RESILIENT_DEFAULT;
    config->rc_end_usage = VPX_CBR;
    config->rc_target_bitrate = kbps;
    config->rc_resize_allowed = 0;
    config->rc_dropframe_thresh = 25;
    config->rc_min_quantizer = 2;
    config->rc_max_quantizer = 58;
    config->rc_undershoot_pct = 100;
    config->rc_overshoot_pct = 15;
    config->rc_buf_initial_sz = 400;
    config->rc_buf_optimal_sz = 500;
    config->rc_buf_sz = 600;
    config->kf_mode = VPX_KF_DISABLED;
    if (vpx_codec_enc_init(&encoder->codec, interface, config, 0) != VPX_CODEC_OK) {
        explain(why, room, "libvpx", &encoder->codec);
        free(encoder);
        return NULL;
    }
    vpx_codec_control(&encoder->codec, VP8E_SET_CPUUSED, speed);
    vpx_codec_control(&encoder->codec, VP8E_SET_STATIC_THRESHOLD, 1);
    vpx_codec_control(&encoder->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, key_percent);
    if (vp9) {
        control_vp9(&encoder->codec, threads);
    } else {
        control_vp8(&encoder->codec, threads);
    }
    return encoder;
}

void vv_encoder_free(vv_encoder *encoder) {
    if (encoder) {
        vpx_codec_destroy(&encoder->codec);
        free(encoder);
    }
}

/* Takes effect with the next picture. 0 when it worked. */
int vv_encoder_bitrate(vv_encoder *encoder, unsigned kbps, char *why, size_t room) {
    encoder->config.rc_target_bitrate = kbps;
    if (vpx_codec_enc_config_set(&encoder->codec, &encoder->config) == VPX_CODEC_OK) {
        return 0;
    }
    explain(why, room, "libvpx", &encoder->codec);
    return -1;
}

/* Encodes one I420 picture of the size given to vv_encoder_new, rows without padding. 1 and a packet that stays valid until
 * the next call, 0 when rate control dropped the picture, -1 and a sentence on failure. */
int vv_encode(vv_encoder *encoder, const uint8_t *y, const uint8_t *u, const uint8_t *v, int64_t microseconds, unsigned long duration,
              int key, const uint8_t **data, size_t *size, int *is_key, char *why, size_t room) {
    unsigned width = encoder->config.g_w, height = encoder->config.g_h;
    vpx_image_t image;
    if (!vpx_img_wrap(&image, VPX_IMG_FMT_I420, width, height, 1, (unsigned char *)y)) {
        snprintf(why, room, "libvpx refused a picture of %ux%u", width, height);
        return -1;
    }
    image.planes[VPX_PLANE_Y] = (unsigned char *)y;
    image.planes[VPX_PLANE_U] = (unsigned char *)u;
    image.planes[VPX_PLANE_V] = (unsigned char *)v;
    image.stride[VPX_PLANE_Y] = (int)width;
    image.stride[VPX_PLANE_U] = image.stride[VPX_PLANE_V] = (int)((width + 1) / 2);
    if (vpx_codec_encode(&encoder->codec, &image, microseconds, duration, key ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME) != VPX_CODEC_OK) {
        explain(why, room, "libvpx", &encoder->codec);
        return -1;
    }
    const vpx_codec_cx_pkt_t *packet;
    vpx_codec_iter_t iterator = NULL;
    while ((packet = vpx_codec_get_cx_data(&encoder->codec, &iterator))) {
        if (packet->kind == VPX_CODEC_CX_FRAME_PKT && packet->data.frame.sz > 0) {
            *data = packet->data.frame.buf;
            *size = packet->data.frame.sz;
            *is_key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
            return 1;
        }
    }
    return 0;
}

vv_decoder *vv_decoder_new(int vp9, unsigned threads, char *why, size_t room) {
    vv_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        snprintf(why, room, "out of memory");
        return NULL;
    }
    vpx_codec_dec_cfg_t config = {0};
    config.threads = threads;
    if (vpx_codec_dec_init(&decoder->codec, vp9 ? vpx_codec_vp9_dx() : vpx_codec_vp8_dx(), &config, 0) != VPX_CODEC_OK) {
        explain(why, room, "libvpx", &decoder->codec);
        free(decoder);
        return NULL;
    }
    return decoder;
}

void vv_decoder_free(vv_decoder *decoder) {
    if (decoder) {
        vpx_codec_destroy(&decoder->codec);
        free(decoder);
    }
}

/* Decodes one frame. 1 and a picture whose planes stay valid until the next call, 0 when there is nothing to show, -1 and a
 * sentence on failure. `planes` and `strides` hold three entries each, y, u, v. */
int vv_decode(vv_decoder *decoder, const uint8_t *data, unsigned size, unsigned *width, unsigned *height, const uint8_t **planes,
              int *strides, char *why, size_t room) {
    if (vpx_codec_decode(&decoder->codec, data, size, NULL, 0) != VPX_CODEC_OK) {
        explain(why, room, "libvpx", &decoder->codec);
        return -1;
    }
    vpx_codec_iter_t iterator = NULL;
    const vpx_image_t *image = vpx_codec_get_frame(&decoder->codec, &iterator);
    if (!image) {
        return 0;
    }
    int corrupted = 0;
    if (vpx_codec_control(&decoder->codec, VP8D_GET_FRAME_CORRUPTED, &corrupted) == VPX_CODEC_OK && corrupted) {
        snprintf(why, room, "libvpx: the picture builds on damaged ones");
        return -1;
    }
    if (image->fmt != VPX_IMG_FMT_I420 && image->fmt != VPX_IMG_FMT_YV12) {
        snprintf(why, room, "libvpx: unexpected pixel format %d", (int)image->fmt);
        return -1;
    }
    *width = image->d_w;
    *height = image->d_h;
    for (int plane = 0; plane < 3; plane++) {
        planes[plane] = image->planes[plane];
        strides[plane] = image->stride[plane];
    }
    return 1;
}
