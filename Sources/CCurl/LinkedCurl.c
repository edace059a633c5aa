// What libcurl wants from other libraries, where libcurl is part of the program.
//
// Debian's libcurl speaks two dozen protocols, and so brings thirty libraries with it (LDAP, Kerberos, SSH, RTMP and what
// those want). Loading and relocating them takes longer than everything else before the first token. rasa speaks HTTP
// alone: `CURLOPT_PROTOCOLS_STR` refuses the rest. So `Scripts/release.sh` links libcurl in, and this file stands for the
// libraries that are never called or hardly ever.
#ifdef RASA_STATIC_CURL
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

// MARK: Loaded when they are needed

// The function of that name in that library; null where the library is not installed.
static void *late(const char *library, const char *name) {
  // Not closed: the functions are used for as long as the program runs.
  void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  return handle ? dlsym(handle, name) : NULL;
}

// `otherwise` is what libcurl takes for the library's own failure.
#define LATE(library, result, name, parameters, arguments, otherwise) \
  typedef result name##_type parameters;                              \
  result name parameters {                                            \
    static name##_type *_Atomic loaded;                               \
    name##_type *function = loaded;                                   \
    if (!function) function = loaded = (name##_type *)late(library, #name); \
    return function ? function arguments : (otherwise);               \
  }
#define LATE_RELEASE(library, name)                                   \
  typedef void name##_type(void *);                                   \
  void name(void *memory) {                                           \
    name##_type *function = (name##_type *)late(library, #name);      \
    if (function) function(memory);                                   \
  }

// Host names that are not ASCII.
#define IDN2 "libidn2.so.0"
LATE(IDN2, int, idn2_lookup_ul, (const char *name, char **found, int flags), (name, found, flags), -100)
LATE_RELEASE(IDN2, idn2_free)
LATE(IDN2, const char *, idn2_check_version, (const char *wanted), (wanted), NULL)

// Compressed responses that were not requested.
#define BROTLI "libbrotlidec.so.1"
LATE(BROTLI, void *, BrotliDecoderCreateInstance, (void *allocate, void *release, void *context),
     (allocate, release, context), NULL)
LATE(BROTLI, int, BrotliDecoderDecompressStream,
     (void *state, size_t *left, const uint8_t **in, size_t *room, uint8_t **out, size_t *total),
     (state, left, in, room, out, total), 0)
LATE(BROTLI, int, BrotliDecoderGetErrorCode, (const void *state), (state), -1)
LATE_RELEASE(BROTLI, BrotliDecoderDestroyInstance)
LATE(BROTLI, uint32_t, BrotliDecoderVersion, (void), (), 0)

#define ZSTD "libzstd.so.1"
LATE(ZSTD, void *, ZSTD_createDStream, (void), (), NULL)
LATE(ZSTD, size_t, ZSTD_decompressStream, (void *stream, void *out, void *in), (stream, out, in), (size_t)-1)
LATE(ZSTD, size_t, ZSTD_freeDStream, (void *stream), (stream), 0)
LATE(ZSTD, unsigned, ZSTD_isError, (size_t code), (code), code > (size_t)-120)
LATE(ZSTD, unsigned, ZSTD_versionNumber, (void), (), 0)

// MARK: Never called

// Except for what initialises and what describes a library: zero is success.
const char *libssh2_version(int wanted) {
  (void)wanted;
  return "0";
}
const char *psl_get_version(void) { return "0"; }
int ldap_get_option(void *session, int option, void *value) {
  (void)session, (void)option, (void)value;
  return -1;
}
void *GSS_C_NT_HOSTBASED_SERVICE;

long rasa_curl_absent(void) { return 0; }
#define ABSENT(name) long name(void) __attribute__((alias("rasa_curl_absent")));
ABSENT(RTMP_Alloc) ABSENT(RTMP_Close) ABSENT(RTMP_Connect1) ABSENT(RTMP_ConnectStream) ABSENT(RTMP_Free)
ABSENT(RTMP_Init) ABSENT(RTMP_Read) ABSENT(RTMP_SetBufferMS) ABSENT(RTMP_SetupURL) ABSENT(RTMP_Write)
ABSENT(ber_bvfree) ABSENT(ber_free) ABSENT(ber_memfree) ABSENT(ber_memvfree) ABSENT(ber_sockbuf_add_io)
ABSENT(gss_delete_sec_context) ABSENT(gss_display_name) ABSENT(gss_display_status) ABSENT(gss_import_name)
ABSENT(gss_init_sec_context) ABSENT(gss_inquire_context) ABSENT(gss_release_buffer) ABSENT(gss_release_name)
ABSENT(gss_unwrap) ABSENT(gss_wrap) ABSENT(ldap_abandon_ext) ABSENT(ldap_err2string)
ABSENT(ldap_free_urldesc) ABSENT(ldap_get_attribute_ber) ABSENT(ldap_get_dn_ber) 
ABSENT(ldap_init_fd) ABSENT(ldap_memfree) ABSENT(ldap_msgfree) ABSENT(ldap_msgtype) ABSENT(ldap_parse_result)
ABSENT(ldap_parse_sasl_bind_result) ABSENT(ldap_pvt_url_scheme2proto) ABSENT(ldap_result)
ABSENT(ldap_sasl_bind) ABSENT(ldap_search_ext) ABSENT(ldap_set_option) ABSENT(ldap_start_tls)
ABSENT(ldap_unbind_ext) ABSENT(ldap_url_parse) ABSENT(libssh2_agent_connect) ABSENT(libssh2_agent_disconnect)
ABSENT(libssh2_agent_free) ABSENT(libssh2_agent_get_identity) ABSENT(libssh2_agent_init)
ABSENT(libssh2_agent_list_identities) ABSENT(libssh2_agent_userauth) ABSENT(libssh2_channel_free)
ABSENT(libssh2_channel_read_ex) ABSENT(libssh2_channel_send_eof) ABSENT(libssh2_channel_wait_closed)
ABSENT(libssh2_channel_wait_eof) ABSENT(libssh2_channel_write_ex) ABSENT(libssh2_exit)
ABSENT(libssh2_hostkey_hash) ABSENT(libssh2_init) ABSENT(libssh2_knownhost_add)
ABSENT(libssh2_knownhost_checkp) ABSENT(libssh2_knownhost_del) ABSENT(libssh2_knownhost_free)
ABSENT(libssh2_knownhost_get) ABSENT(libssh2_knownhost_init) ABSENT(libssh2_knownhost_readfile)
ABSENT(libssh2_knownhost_writefile) ABSENT(libssh2_scp_recv2) ABSENT(libssh2_scp_send64)
ABSENT(libssh2_session_abstract) ABSENT(libssh2_session_block_directions)
ABSENT(libssh2_session_callback_set) ABSENT(libssh2_session_disconnect_ex) ABSENT(libssh2_session_flag)
ABSENT(libssh2_session_free) ABSENT(libssh2_session_handshake) ABSENT(libssh2_session_hostkey)
ABSENT(libssh2_session_init_ex) ABSENT(libssh2_session_last_errno) ABSENT(libssh2_session_last_error)
ABSENT(libssh2_session_method_pref) ABSENT(libssh2_session_set_blocking) ABSENT(libssh2_sftp_close_handle)
ABSENT(libssh2_sftp_init) ABSENT(libssh2_sftp_last_error) ABSENT(libssh2_sftp_mkdir_ex)
ABSENT(libssh2_sftp_open_ex) ABSENT(libssh2_sftp_read) ABSENT(libssh2_sftp_readdir_ex)
ABSENT(libssh2_sftp_rename_ex) ABSENT(libssh2_sftp_rmdir_ex) ABSENT(libssh2_sftp_seek64)
ABSENT(libssh2_sftp_shutdown) ABSENT(libssh2_sftp_stat_ex) ABSENT(libssh2_sftp_statvfs)
ABSENT(libssh2_sftp_symlink_ex) ABSENT(libssh2_sftp_unlink_ex) ABSENT(libssh2_sftp_write)
ABSENT(libssh2_userauth_authenticated) ABSENT(libssh2_userauth_keyboard_interactive_ex)
ABSENT(libssh2_userauth_list) ABSENT(libssh2_userauth_password_ex)
ABSENT(libssh2_userauth_publickey_fromfile_ex) ABSENT(psl_builtin) ABSENT(psl_free)
ABSENT(psl_is_cookie_domain_acceptable) ABSENT(psl_latest)
#endif
